// A thread of a real-time operating system as a debugger shows it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mv::gdb::rtos {

// Of the one thread of an application whose kernel is not known, and of what runs while a kernel runs no thread.
inline constexpr std::uint32_t kApplication = 1;

enum class State : std::uint8_t { kRunning, kReady, kBlocked, kSuspended, kEnded };

struct Thread {
  std::uint32_t id = 0;  // address of its control block
  std::string name;      // printable, may be empty
  State state = State::kReady;
  std::int32_t priority = 0;
  std::uint32_t stack_pointer = 0;  // where the kernel saved its registers; meaningless while it runs
};

std::string_view name_of(State state);

}  // namespace mv::gdb::rtos
