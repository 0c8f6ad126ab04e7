// ThreadX, also known as Azure RTOS and Eclipse ThreadX.
//
// Sources: common/inc/tx_api.h (TX_THREAD_STRUCT, the execution states), common/inc/tx_thread.h (the lists),
// ports/cortex_m33/gnu/src/tx_thread_schedule.S (PendSV_Handler).
#include <array>

#include "gdbserver/rtos/kernel.h"
#include "gdbserver/rtos/saved_frame.h"

namespace mv::gdb::rtos {
namespace {

constexpr std::array kVariables = {
    Wanted{"_tx_thread_current_ptr"},
    Wanted{"_tx_thread_created_ptr"},
    Wanted{"_tx_thread_created_count"},
};

constexpr std::array kMembers = {
    Wanted{"TX_THREAD_STRUCT.tx_thread_stack_ptr"}, Wanted{"TX_THREAD_STRUCT.tx_thread_stack_start"},
    Wanted{"TX_THREAD_STRUCT.tx_thread_name"},      Wanted{"TX_THREAD_STRUCT.tx_thread_priority"},
    Wanted{"TX_THREAD_STRUCT.tx_thread_state"},     Wanted{"TX_THREAD_STRUCT.tx_thread_created_next"},
};

// Execution states (tx_api.h). All others are waits for one thing or another.
constexpr std::uint32_t kReady = 0;
constexpr std::uint32_t kCompleted = 1;
constexpr std::uint32_t kTerminated = 2;
constexpr std::uint32_t kSuspended = 3;

State state_of(std::uint32_t value) {
  switch (value) {
    case kReady:
      return State::kReady;
    case kCompleted:
    case kTerminated:
      return State::kEnded;
    case kSuspended:
      return State::kSuspended;
    default:
      return State::kBlocked;
  }
}

// 0 while the scheduler waits for a thread to become ready.
std::optional<std::uint32_t> running(const Layout& layout, Memory& memory) {
  return memory.word(layout.address("_tx_thread_current_ptr"));
}

std::optional<Thread> describe(const Layout& layout, Memory& memory, std::uint32_t id) {
  const auto member = [&](std::string_view name) { return memory.word(id + layout.offset(name)); };
  const auto stack = member("TX_THREAD_STRUCT.tx_thread_stack_ptr");
  const auto priority = member("TX_THREAD_STRUCT.tx_thread_priority");
  const auto state = member("TX_THREAD_STRUCT.tx_thread_state");
  const auto name = member("TX_THREAD_STRUCT.tx_thread_name");
  if (!stack || !priority || !state || !name) return std::nullopt;
  const auto text = *name == 0 ? std::optional(std::string()) : memory.text(*name, kLongestName);
  if (!text) return std::nullopt;
  return Thread{id, *text, state_of(*state), static_cast<std::int32_t>(*priority), *stack};
}

// A ring of all threads there are.
void walk(const Layout& layout, Memory& memory, Found& found) {
  const auto count = memory.word(layout.address("_tx_thread_created_count"));
  const auto first = memory.word(layout.address("_tx_thread_created_ptr"));
  if (!count || !first || *count == 0) return;
  if (*count > kMostThreads) return found.breaks("there are more than 64 threads");
  auto id = first;
  for (std::uint32_t i = 0; i < *count && id; ++i) {
    auto thread = describe(layout, memory, *id);
    if (thread && !found.add(std::move(*thread))) return;
    id = memory.word(*id + layout.offset("TX_THREAD_STRUCT.tx_thread_created_next"));
  }
  if (id && *id != *first) found.breaks("its list of threads does not close");
}

// From the saved stack pointer upwards: EXC_RETURN, s16-s31 if it says so, r4-r11, the core's frame.
std::optional<arm::RegisterFile> registers(const Layout& layout, Memory& memory, const Thread& thread,
                                           const arm::RegisterFile& live) {
  const std::uint32_t sp = thread.stack_pointer;
  const auto exc_return = memory.word(sp);
  const auto limit = memory.word(thread.id + layout.offset("TX_THREAD_STRUCT.tx_thread_stack_start"));
  if (!exc_return || !limit) return std::nullopt;
  if (!is_thread_exc_return(*exc_return)) return only_stack_pointer(sp, live);
  SavedFrame frame{.callee_saved = sp + 4, .exc_return = *exc_return, .callee_saved_fp = {}, .stack_limit = *limit};
  if (has_fp_frame(*exc_return)) {
    frame.callee_saved_fp = sp + 4;
    frame.callee_saved += 4 * 16;
  }
  frame.exception_frame = frame.callee_saved + 4 * 8;
  return unstack(frame, memory, live);
}

}  // namespace

const Kernel kThreadX = {"ThreadX", kVariables, kMembers, running, walk, describe, registers};

}  // namespace mv::gdb::rtos
