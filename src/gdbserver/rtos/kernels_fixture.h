// The kernels' structures as a compiler for Cortex-M lays them out, for tests on memory made by hand.
#pragma once

#include "gdbserver/rtos/kernel.h"

namespace mv::gdb::rtos {

inline constexpr std::uint32_t kFixtureBase = 0x20000000;
inline constexpr std::uint32_t kFixtureRam = 0x2000;

// FreeRTOS: three priorities. Offsets of tasks.c and list.h of V11 without optional members.
inline Layout freertos_layout() {
  Layout layout;
  layout.variables = {{"pxCurrentTCB", {kFixtureBase, 4}},
                      {"xSchedulerRunning", {kFixtureBase + 4, 4}},
                      {"pxReadyTasksLists", {kFixtureBase + 0x10, 60}},
                      {"xDelayedTaskList1", {kFixtureBase + 0x50, 20}},
                      {"xDelayedTaskList2", {kFixtureBase + 0x64, 20}},
                      {"xSuspendedTaskList", {kFixtureBase + 0x78, 20}}};
  layout.members = {{"tskTaskControlBlock.pxTopOfStack", {0, 4}},
                    {"tskTaskControlBlock.xStateListItem", {4, 20}},
                    {"tskTaskControlBlock.xEventListItem", {24, 20}},
                    {"tskTaskControlBlock.uxPriority", {44, 4}},
                    {"tskTaskControlBlock.pcTaskName", {52, 16}},
                    {"xLIST", {0, 20}},
                    {"xLIST.uxNumberOfItems", {0, 4}},
                    {"xLIST.xListEnd", {8, 12}},
                    {"xLIST_ITEM.pxNext", {4, 4}},
                    {"xLIST_ITEM.pvOwner", {12, 4}},
                    {"xLIST_ITEM.pxContainer", {16, 4}}};
  return layout;
}

// ThreadX: offsets of TX_THREAD_STRUCT in tx_api.h without extensions.
inline Layout threadx_layout() {
  Layout layout;
  layout.variables = {{"_tx_thread_current_ptr", {kFixtureBase, 4}},
                      {"_tx_thread_created_ptr", {kFixtureBase + 4, 4}},
                      {"_tx_thread_created_count", {kFixtureBase + 8, 4}}};
  layout.members = {
      {"TX_THREAD_STRUCT.tx_thread_stack_ptr", {8, 4}}, {"TX_THREAD_STRUCT.tx_thread_stack_start", {12, 4}},
      {"TX_THREAD_STRUCT.tx_thread_name", {40, 4}},     {"TX_THREAD_STRUCT.tx_thread_priority", {44, 4}},
      {"TX_THREAD_STRUCT.tx_thread_state", {48, 4}},    {"TX_THREAD_STRUCT.tx_thread_created_next", {136, 4}}};
  return layout;
}

// Zephyr with names, stack information and shared floating-point registers.
inline Layout zephyr_layout() {
  Layout layout;
  layout.variables = {{"_kernel", {kFixtureBase, 64}}};
  layout.members = {{"z_kernel.cpus.current", {8, 4}},         {"z_kernel.threads", {40, 4}},
                    {"k_thread.base.thread_state", {13, 1}},   {"k_thread.base.prio", {14, 1}},
                    {"k_thread.callee_saved", {48, 36}},       {"k_thread.callee_saved.psp", {80, 4}},
                    {"k_thread.next_thread", {116, 4}},        {"k_thread.name", {120, 32}},
                    {"k_thread.stack_info.start", {152, 4}},   {"k_thread.arch.mode_exc_return", {245, 1}},
                    {"k_thread.arch.preempt_float", {180, 64}}};
  return layout;
}

}  // namespace mv::gdb::rtos
