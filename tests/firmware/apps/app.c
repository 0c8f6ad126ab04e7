// Bare-metal start-up of the test applications.
#include "app.h"
#include "board.h"

extern uint32_t stack_end, data_start, data_end, data_load, bss_start, bss_end;
volatile uint32_t ticks;

enum { kSysTick = 0xe000e010 };

__attribute__((weak)) void on_tick(void) {}
__attribute__((weak)) void SVC_Handler(void) {}
__attribute__((weak)) void HardFault_Handler(void);  // null where there is none
__attribute__((weak)) void on_interrupt(uint32_t number) { (void)number; }

void use_fp(void) {
  REG32(0xe000ed88) = 0xfu << 20;
  __asm volatile("dsb\n isb");
}

void print(const char* text) {
  for (; *text != 0; ++text) console_put(*text);
}

void print_hex(uint32_t value) {
  char text[9] = {0};
  for (int at = 0; at < 8; ++at) text[at] = "0123456789abcdef"[value >> (28 - 4 * at) & 15];
  print(text);
}

void start_ticks(uint32_t per_second) {
  REG32(kSysTick + 4) = kClock / per_second - 1;
  REG32(kSysTick + 8) = 0;
  REG32(kSysTick) = 7;
}

void SysTick_Handler(void) {
  ticks = ticks + 1;
  on_tick();
}

void Interrupt_Handler(void) {
  uint32_t ipsr;
  __asm volatile("mrs %0, ipsr" : "=r"(ipsr));
  on_interrupt(ipsr - 16);
}

void Reset_Handler(void) {
  console_set_up();
  for (uint32_t *to = &data_start, *from = &data_load; to < &data_end;) *to++ = *from++;
  for (uint32_t* to = &bss_start; to < &bss_end;) *to++ = 0;
  main();
  for (;;) __asm volatile("wfi");
}

#define I4 Interrupt_Handler, Interrupt_Handler, Interrupt_Handler, Interrupt_Handler
#define I16 I4, I4, I4, I4
__attribute__((section(".vectors"), used)) void (*const vectors[])(void) = {(void (*)(void)) & stack_end,
                                                                            Reset_Handler,
                                                                            0,
                                                                            HardFault_Handler,
                                                                            0,
                                                                            0,
                                                                            0,
                                                                            0,
                                                                            0,
                                                                            0,
                                                                            0,
                                                                            SVC_Handler,
                                                                            0,
                                                                            0,
                                                                            0,
                                                                            SysTick_Handler,
                                                                            I16,
                                                                            I16,
                                                                            I16,
                                                                            I16,
                                                                            I16,
                                                                            I16};
