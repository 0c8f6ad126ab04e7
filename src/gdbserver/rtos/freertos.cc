// FreeRTOS V10 and V11 on one core.
//
// Sources: FreeRTOS-Kernel tasks.c (tskTaskControlBlock, the task lists, eTaskGetState), include/list.h (xLIST,
// xLIST_ITEM), portable/GCC/ARM_CM33_NTZ/non_secure/portasm.c (PendSV_Handler).
#include <algorithm>
#include <array>

#include "gdbserver/rtos/kernel.h"
#include "gdbserver/rtos/saved_frame.h"

namespace mv::gdb::rtos {
namespace {

constexpr std::array kVariables = {
    Wanted{"pxCurrentTCB"},
    Wanted{"pxReadyTasksLists"},
    Wanted{"xDelayedTaskList1"},
    Wanted{"xDelayedTaskList2"},
    Wanted{"xSuspendedTaskList", false},
    Wanted{"xTasksWaitingTermination", false},
    Wanted{"xSchedulerRunning", false},
};

constexpr std::array kMembers = {
    Wanted{"tskTaskControlBlock.pxTopOfStack"},
    Wanted{"tskTaskControlBlock.xStateListItem"},
    Wanted{"tskTaskControlBlock.uxPriority"},
    Wanted{"tskTaskControlBlock.pcTaskName"},
    Wanted{"tskTaskControlBlock.xEventListItem", false},
    Wanted{"tskTaskControlBlock.ucNotifyState", false},
    Wanted{"xLIST"},
    Wanted{"xLIST.uxNumberOfItems"},
    Wanted{"xLIST.xListEnd"},
    Wanted{"xLIST_ITEM.pxNext"},
    Wanted{"xLIST_ITEM.pvOwner"},
    Wanted{"xLIST_ITEM.pxContainer", false},
};

constexpr std::uint32_t kMostPriorities = 256;
constexpr std::uint32_t kWaitingForNotification = 1;

std::optional<std::uint32_t> running(const Layout& layout, Memory& memory) {
  const auto current = memory.word(layout.address("pxCurrentTCB"));
  const auto flag = layout.variable("xSchedulerRunning");
  const auto started = flag ? memory.word(flag->address) : std::optional<std::uint32_t>(1);
  if (!current || !started) return std::nullopt;
  return *started == 0 ? 0 : *current;
}

std::optional<Thread> describe(const Layout& layout, Memory& memory, std::uint32_t id) {
  const Member name = layout.member("tskTaskControlBlock.pcTaskName").value_or(Member{});
  const auto stack = memory.word(id + layout.offset("tskTaskControlBlock.pxTopOfStack"));
  const auto priority = memory.word(id + layout.offset("tskTaskControlBlock.uxPriority"));
  const auto text = memory.text(id + name.offset, std::min(name.size, kLongestName));
  if (!stack || !priority || !text) return std::nullopt;
  return Thread{id, *text, State::kReady, static_cast<std::int32_t>(*priority), *stack};
}

// A task that waits for an event without a limit of time is in the list of the suspended ones, too.
State suspended_or_blocked(const Layout& layout, Memory& memory, std::uint32_t id) {
  const auto event = layout.member("tskTaskControlBlock.xEventListItem");
  const auto container = layout.member("xLIST_ITEM.pxContainer");
  if (event && container && memory.word(id + event->offset + container->offset).value_or(0) != 0)
    return State::kBlocked;
  const auto notify = layout.member("tskTaskControlBlock.ucNotifyState");
  if (notify && memory.number(id + notify->offset, 1).value_or(0) == kWaitingForNotification) return State::kBlocked;
  return State::kSuspended;
}

void walk_list(const Layout& layout, Memory& memory, std::uint32_t list, State state, Found& found) {
  const auto count = memory.word(list + layout.offset("xLIST.uxNumberOfItems"));
  if (!count || *count == 0) return;
  if (*count > kMostThreads) return found.breaks("a list says that it has more than 64 threads");
  const std::uint32_t end = list + layout.offset("xLIST.xListEnd");
  const std::uint32_t next = layout.offset("xLIST_ITEM.pxNext");
  auto item = memory.word(end + next);
  for (std::uint32_t i = 0; i < *count && item; ++i) {
    const auto owner = memory.word(*item + layout.offset("xLIST_ITEM.pvOwner"));
    if (owner && *owner + layout.offset("tskTaskControlBlock.xStateListItem") != *item)
      return found.breaks("a list has an item that belongs to no task");
    auto thread = owner ? describe(layout, memory, *owner) : std::nullopt;
    if (thread) {
      thread->state = state == State::kSuspended ? suspended_or_blocked(layout, memory, *owner) : state;
      if (!found.add(std::move(*thread))) return;
    }
    item = memory.word(*item + next);
  }
  if (item && *item != end) found.breaks("a list is longer than it says");
}

void walk(const Layout& layout, Memory& memory, Found& found) {
  const auto current = running(layout, memory);
  if (current && *current == 0) return;  // the lists are not made before the first task
  const std::uint32_t size = layout.size("xLIST");
  const Variable ready = layout.variable("pxReadyTasksLists").value_or(Variable{});
  if (size == 0 || ready.size / size > kMostPriorities) return found.breaks("pxReadyTasksLists has no size");
  for (std::uint32_t offset = 0; offset + size <= ready.size; offset += size)
    walk_list(layout, memory, ready.address + offset, State::kReady, found);
  struct List {
    std::string_view name;
    State state;
  };
  for (const List& list :
       {List{"xDelayedTaskList1", State::kBlocked}, List{"xDelayedTaskList2", State::kBlocked},
        List{"xSuspendedTaskList", State::kSuspended}, List{"xTasksWaitingTermination", State::kEnded}}) {
    if (const auto variable = layout.variable(list.name))
      walk_list(layout, memory, variable->address, list.state, found);
  }
}

// From the saved stack pointer upwards: PSPLIM, EXC_RETURN, r4-r11, s16-s31 if EXC_RETURN says so, the core's frame.
std::optional<arm::RegisterFile> registers(const Layout&, Memory& memory, const Thread& thread,
                                           const arm::RegisterFile& live) {
  const std::uint32_t sp = thread.stack_pointer;
  const auto limit = memory.word(sp);
  const auto exc_return = memory.word(sp + 4);
  if (!limit || !exc_return) return std::nullopt;
  if (!is_thread_exc_return(*exc_return)) return only_stack_pointer(sp, live);
  SavedFrame frame{.callee_saved = sp + 8, .exc_return = *exc_return, .callee_saved_fp = {}, .stack_limit = *limit};
  frame.exception_frame = sp + 8 + 4 * 8;
  if (has_fp_frame(*exc_return)) {
    frame.callee_saved_fp = frame.exception_frame;
    frame.exception_frame += 4 * 16;
  }
  return unstack(frame, memory, live);
}

}  // namespace

const Kernel kFreeRtos = {"FreeRTOS", kVariables, kMembers, running, walk, describe, registers};

}  // namespace mv::gdb::rtos
