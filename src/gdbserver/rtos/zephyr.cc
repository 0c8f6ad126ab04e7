// Zephyr with CONFIG_THREAD_MONITOR, which keeps the list of threads, on one Cortex-M core.
//
// Sources: include/zephyr/kernel/thread.h (k_thread, _thread_base), include/zephyr/kernel_structs.h (z_kernel, _cpu,
// thread states), include/zephyr/arch/arm/thread.h (_callee_saved, _thread_arch), arch/arm/core/cortex_m/swap_helper.S.
#include <algorithm>
#include <array>

#include "gdbserver/rtos/kernel.h"
#include "gdbserver/rtos/saved_frame.h"

namespace mv::gdb::rtos {
namespace {

constexpr std::array kVariables = {Wanted{"_kernel"}};

constexpr std::array kMembers = {
    Wanted{"z_kernel.cpus.current"},
    Wanted{"z_kernel.threads"},
    Wanted{"k_thread.next_thread"},
    Wanted{"k_thread.base.thread_state"},
    Wanted{"k_thread.base.prio"},
    Wanted{"k_thread.callee_saved"},
    Wanted{"k_thread.callee_saved.psp"},
    Wanted{"k_thread.name", false},
    Wanted{"k_thread.stack_info.start", false},
    Wanted{"k_thread.arch.mode_exc_return", false},
    Wanted{"k_thread.arch.preempt_float", false},
    Wanted{"k_thread.switch_handle", false},
};

// Thread states (kernel_structs.h), bits; 1 << 2 was "not started" and is "sleeping".
constexpr std::uint32_t kPending = 1U << 1;
constexpr std::uint32_t kWaitsForTime = 1U << 2;
constexpr std::uint32_t kDead = 1U << 3;
constexpr std::uint32_t kSuspended = 1U << 4;

constexpr std::uint32_t kExcReturnHigh = 0xffffff00;
constexpr std::uint32_t kBasicExcReturn = 0xffffffbc;  // of kernels that keep none: no floating point

State state_of(std::uint32_t bits) {
  if ((bits & kDead) != 0) return State::kEnded;
  if ((bits & kSuspended) != 0) return State::kSuspended;
  if ((bits & (kPending | kWaitsForTime)) != 0) return State::kBlocked;
  return State::kReady;
}

std::optional<std::uint32_t> running(const Layout& layout, Memory& memory) {
  return memory.word(layout.address("_kernel") + layout.offset("z_kernel.cpus.current"));
}

std::optional<Thread> describe(const Layout& layout, Memory& memory, std::uint32_t id) {
  const auto stack = memory.word(id + layout.offset("k_thread.callee_saved.psp"));
  const auto priority = memory.number(id + layout.offset("k_thread.base.prio"), 1);
  const auto state = memory.number(id + layout.offset("k_thread.base.thread_state"), 1);
  const auto name = layout.member("k_thread.name");
  const auto text =
      name ? memory.text(id + name->offset, std::min(name->size, kLongestName)) : std::optional(std::string());
  if (!stack || !priority || !state || !text) return std::nullopt;
  return Thread{id, *text, state_of(*state), static_cast<std::int8_t>(*priority), *stack};
}

void walk(const Layout& layout, Memory& memory, Found& found) {
  auto id = memory.word(layout.address("_kernel") + layout.offset("z_kernel.threads"));
  for (std::size_t i = 0; id && *id != 0; ++i) {
    if (i == kMostThreads) return found.breaks("there are more than 64 threads");
    auto thread = describe(layout, memory, *id);
    if (thread && !found.add(std::move(*thread))) return;
    id = memory.word(*id + layout.offset("k_thread.next_thread"));
  }
}

// r4-r11 and s16-s31 are kept in the thread's structure, the rest is the core's frame on its stack.
std::optional<arm::RegisterFile> registers(const Layout& layout, Memory& memory, const Thread& thread,
                                           const arm::RegisterFile& live) {
  // CONFIG_USE_SWITCH keeps them otherwise.
  if (layout.member("k_thread.switch_handle")) return only_stack_pointer(thread.stack_pointer, live);
  const auto mode = layout.member("k_thread.arch.mode_exc_return");
  const auto low = mode ? memory.number(thread.id + mode->offset, 1) : std::optional(kBasicExcReturn & 0xff);
  if (!low) return std::nullopt;
  const std::uint32_t exc_return = kExcReturnHigh | *low;
  if (!is_thread_exc_return(exc_return)) return only_stack_pointer(thread.stack_pointer, live);
  SavedFrame frame{.exception_frame = thread.stack_pointer,
                   .callee_saved = thread.id + layout.offset("k_thread.callee_saved"),
                   .exc_return = exc_return,
                   .callee_saved_fp = {},
                   .stack_limit = {}};
  if (const auto fp = layout.member("k_thread.arch.preempt_float")) frame.callee_saved_fp = thread.id + fp->offset;
  if (const auto start = layout.member("k_thread.stack_info.start")) {
    frame.stack_limit = memory.word(thread.id + start->offset);
    if (!frame.stack_limit) return std::nullopt;
  }
  return unstack(frame, memory, live);
}

}  // namespace

const Kernel kZephyr = {"Zephyr", kVariables, kMembers, running, walk, describe, registers};

}  // namespace mv::gdb::rtos
