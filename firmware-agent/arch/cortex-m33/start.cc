// Reset, the vector table, and the core's own set-up.
#include "arch/cortex-m33/start.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "arch/cortex-m33/board_hooks.h"
#include "arch/cortex-m33/core_traits.h"
#include "arch/cortex-m33/registers.h"

extern "C" {
// From the board's linker script.
extern std::uint32_t mv_data_start, mv_data_end, mv_data_load, mv_bss_start, mv_bss_end;
extern std::uint32_t mv_nsc_start, mv_nsc_end, mv_nsc_load;
extern std::uint32_t mv_handler_stack_start, mv_handler_stack_end;
extern void (*mv_init_start[])();
extern void (*mv_init_end[])();

void HardFault_Handler();
void NMI_Handler();
void SVC_Handler();
void DebugMonitor_Handler();
void PendSV_Handler();
void SysTick_Handler();
void Interrupt_Handler();
[[noreturn]] void mv_start();
int main();
}

namespace {

using Handler = void (*)();

[[noreturn]] void unexpected() { mv::arch::panic("an exception came that nothing enables"); }

void copy(std::uint32_t* to, const std::uint32_t* end, const std::uint32_t* from) {
  std::memcpy(to, from, static_cast<std::size_t>(end - to) * sizeof(*to));
}

}  // namespace

// The boot ROM, and a reset of the emulated core, leave MSP_S at the first word.
extern "C" __attribute__((naked)) void Reset_Handler() {
  __asm volatile(
      "cpsid i\n"
      "ldr r0, =0xe0002000\n"  // FP_CTRL: no breakpoint that somebody left before the reset
      "movs r1, #2\n"
      "str r1, [r0]\n"
      "ldr r0, =mv_handler_stack_end\n"
      "subs r0, #8\n"  // room for the seal
      "msr msp, r0\n"
      "ldr r1, =0xfef5eda5\n"
      "str r1, [r0]\n"
      "str r1, [r0, #4]\n"
      "ldr r0, =mv_handler_stack_start\n"
      "msr msplim, r0\n"
      "b mv_start\n");
}

namespace {

constexpr std::size_t kVectors = mv::arch::kInterruptWords * 32;

struct VectorTable {
  std::uint32_t* stack;
  std::array<Handler, 15> system;
  std::array<Handler, kVectors> external;
};

constexpr std::array<Handler, kVectors> all_external() {
  std::array<Handler, kVectors> handlers{};
  handlers.fill(Interrupt_Handler);
  return handlers;
}

}  // namespace

extern "C" __attribute__((section(".vectors"), used)) const VectorTable mv_vectors = {
    &mv_handler_stack_end,
    {Reset_Handler, NMI_Handler, HardFault_Handler, unexpected, unexpected, unexpected, unexpected, nullptr, nullptr,
     nullptr, SVC_Handler, DebugMonitor_Handler, nullptr, PendSV_Handler, SysTick_Handler},
    all_external()};

extern "C" void mv_start() {
  copy(&mv_data_start, &mv_data_end, &mv_data_load);
  mv::arch::board_place_veneers({&mv_nsc_load, static_cast<std::size_t>(&mv_nsc_end - &mv_nsc_start)}, &mv_nsc_start);
  std::memset(&mv_bss_start, 0,
              reinterpret_cast<std::uintptr_t>(&mv_bss_end) - reinterpret_cast<std::uintptr_t>(&mv_bss_start));
  mv::arch::set_up_core(reinterpret_cast<std::uint32_t>(&mv_vectors));
  std::for_each(mv_init_start, mv_init_end, [](Handler init) { init(); });
  main();
  mv::arch::panic("main ended, which it never does");
}

// The C library's way out; nothing of ours takes it.
extern "C" [[noreturn]] void _exit(int) { mv::arch::panic("the C library gave up"); }

namespace mv::arch {

void set_up_core(std::uint32_t vectors) {
  reg32(kVectorTable) = vectors;
  // PRIS: every Non-secure priority is below ours. BFHFNMINS = 0: HardFault and BusFault are ours. Only we may reset.
  reg32(kResetControl) = kResetKey | kPrioritiseSecure | kResetSecureOnly;
  reg32(kPriority2) = 0x60U << 24;                        // SVC
  reg32(kPriority3) = 0x40U << 24 | 0x60U << 16 | 0x60U;  // SysTick, PendSV, DebugMonitor
  // MemManage, BusFault, UsageFault and SecureFault stay disabled: all escalate to HardFault. (QEMU 7.2 compares the
  // priority of a SecureFault wrongly while a Non-secure handler runs, so this is the one way that works everywhere.)
  reg32(kHandlerControl) = 0;
  reg32(kSystemControl) = 1U << 3;         // SLEEPDEEPS: deep sleep is not the application's to choose
  reg32(kCoprocessorAccess) = 0xfU << 20;  // for s16-s31 in the debugger's context
  reg32(kNonSecureAccess) = 3U << 10;      // the application may use FP
  // ASPEN, LSPENS, and no lazy stacking: it would let a bad Non-secure stack pointer fault inside our handlers.
  reg32(kFpContextControl) = 0xa0000000;
  reg32(kFpContextControl + kNonSecureAlias) = 0x80000000;
  barrier();
}

}  // namespace mv::arch
