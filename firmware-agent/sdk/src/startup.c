// Start-up of a C or C++ application: vector table, initial values, constructors, main.
//
// The core's exceptions have the names of CMSIS and are weak, so an application defines those that it wants. All external
// interrupts arrive in Interrupt_Handler.

#include <stdint.h>

typedef void (*Handler)(void);

extern uint32_t __data_start, __data_end, __data_load, __bss_start, __bss_end, __stack_top, __stack_limit;
extern const Handler __init_array_start, __init_array_end;

int main(void);

// Nothing to return to: the application has ended. The debugger sees a BKPT; without one the microvisor records it.
static void after_main(void) {
  for (;;) __asm__ volatile("bkpt 0");
}

// The compiler uses floating-point registers for more than floats: a 64-bit number that is copied goes through one. CPACR, CP10
// and CP11 (Arm DDI 0553, D1.2.12).
static void enable_floating_point(void) {
#ifdef __ARM_FP
  *(volatile uint32_t *)0xE000ED88 |= 0xFU << 20;
  __asm__ volatile("dsb\n isb" : : : "memory");
#endif
}

__attribute__((noreturn)) void Reset_Handler(void) {
  __asm__ volatile("msr msplim, %0" : : "r"(&__stack_limit));
  enable_floating_point();
  const uint32_t *from = &__data_load;
  for (uint32_t *to = &__data_start; to < &__data_end; ++to) *to = *from++;
  for (uint32_t *to = &__bss_start; to < &__bss_end; ++to) *to = 0;
  for (const Handler *constructor = &__init_array_start; constructor < &__init_array_end; ++constructor) (*constructor)();
  main();
  after_main();
  __builtin_unreachable();
}

// An exception that the application does not handle: wait here, so that a debugger shows where.
void Default_Handler(void) {
  for (;;) __asm__ volatile("bkpt 1");
}

#define MV_WEAK_HANDLER __attribute__((weak, alias("Default_Handler")))
void NMI_Handler(void) MV_WEAK_HANDLER;
void HardFault_Handler(void) MV_WEAK_HANDLER;
void MemManage_Handler(void) MV_WEAK_HANDLER;
void BusFault_Handler(void) MV_WEAK_HANDLER;
void UsageFault_Handler(void) MV_WEAK_HANDLER;
void SVC_Handler(void) MV_WEAK_HANDLER;
void DebugMon_Handler(void) MV_WEAK_HANDLER;
void PendSV_Handler(void) MV_WEAK_HANDLER;
void SysTick_Handler(void) MV_WEAK_HANDLER;
void Interrupt_Handler(void) MV_WEAK_HANDLER;  // every external interrupt; IPSR - 16 is its number

#define FOUR(x) x, x, x, x
#define SIXTEEN(x) FOUR(x), FOUR(x), FOUR(x), FOUR(x)

__attribute__((section(".vectors"), used)) static const Handler vectors[16 + 144] = {
    (Handler)(uintptr_t)&__stack_top,
    Reset_Handler,
    NMI_Handler,
    HardFault_Handler,
    MemManage_Handler,
    BusFault_Handler,
    UsageFault_Handler,
    0,
    0,
    0,
    0,
    SVC_Handler,
    DebugMon_Handler,
    0,
    PendSV_Handler,
    SysTick_Handler,
    SIXTEEN(Interrupt_Handler),
    SIXTEEN(Interrupt_Handler),
    SIXTEEN(Interrupt_Handler),
    SIXTEEN(Interrupt_Handler),
    SIXTEEN(Interrupt_Handler),
    SIXTEEN(Interrupt_Handler),
    SIXTEEN(Interrupt_Handler),
    SIXTEEN(Interrupt_Handler),
    SIXTEEN(Interrupt_Handler),
};
