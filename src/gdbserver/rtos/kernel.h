// The kernels whose threads are shown: one table each, over one small interface.
//
// What they read is input from outside: lists may be garbage or lead in circles. Every list is bounded by kMostThreads,
// every thread is taken once.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gdbserver/arm/registers.h"
#include "gdbserver/rtos/layout.h"
#include "gdbserver/rtos/memory.h"
#include "gdbserver/rtos/thread.h"

namespace mv::gdb::rtos {

inline constexpr std::size_t kMostThreads = 64;
inline constexpr std::uint32_t kLongestName = 32;

// The threads of a walk, each once.
class Found {
 public:
  const std::vector<Thread>& threads() const { return threads_; }
  bool has(std::uint32_t id) const;

  // False, and the walk is broken, if it is there already or there are too many.
  bool add(Thread thread);

  // The first reason counts.
  void breaks(std::string_view why);
  const std::string& broken() const { return broken_; }

 private:
  std::vector<Thread> threads_;
  std::string broken_;
};

struct Wanted {
  std::string_view name;
  bool required = true;
};

struct Kernel {
  std::string_view name;
  std::span<const Wanted> variables;
  std::span<const Wanted> members;

  // The thread that runs; 0 if the kernel runs none. Nothing if memory is missing.
  std::optional<std::uint32_t> (*running)(const Layout&, Memory&);
  // Walks the kernel's lists. What needs memory that is missing is left out.
  void (*walk)(const Layout&, Memory&, Found&);
  // One thread by its control block, whatever list it is in.
  std::optional<Thread> (*describe)(const Layout&, Memory&, std::uint32_t id);
  // The registers of a thread that does not run, as they will be when it does; what is not a thread's own is that of
  // `live`. With only sp known if what lies on its stack is no frame.
  std::optional<arm::RegisterFile> (*registers)(const Layout&, Memory&, const Thread&, const arm::RegisterFile& live);
};

// In the order in which they are looked for.
std::span<const Kernel* const> kernels();

extern const Kernel kFreeRtos;
extern const Kernel kThreadX;
extern const Kernel kZephyr;

// A kernel with all that its table requires.
struct System {
  const Kernel* kernel = nullptr;
  Layout layout;
};

// The kernel whose variables are all there; the members are not looked at. Null if there is none.
const Kernel* find_kernel(const Layout& layout);
bool complete(const Kernel& kernel, const Layout& layout);

}  // namespace mv::gdb::rtos
