// How long an interrupt of the application waits for the microvisor: TIM2 counts clocks of the core from the moment its
// interrupt is due, and the handler looks at the counter. STM32U585; once every 64 interrupts a line on USART2.
#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(address))

enum { kRcc = 0x46020c00, kPortD = 0x42020c00, kUsart2 = 0x40004400, kTim2 = 0x40000000, kTim2Interrupt = 45 };
enum { kPeriod = 160000 * 2 };  // 2 ms of 160 MHz

#include "noise.h"  // makes updates large

static volatile uint32_t worst, count;

void Interrupt_Handler(void) {
  const uint32_t waited = REG(kTim2 + 0x24);
  REG(kTim2 + 0x10) = 0;
  if (waited > worst) worst = waited;
  count = count + 1;
}

static void put(char c) {
  while (!(REG(kUsart2 + 0x1c) & 1u << 7)) {
  }
  REG(kUsart2 + 0x28) = (uint8_t)c;
}

static void print(const char *text) {
  while (*text) put(*text++);
}

static void print_number(uint32_t value) {
  char digits[10];
  int at = 0;
  do {
    digits[at++] = (char)('0' + value % 10);
    value /= 10;
  } while (value);
  while (at) put(digits[--at]);
}

int main(void) {
  REG(kRcc + 0x9c) |= 1u << 17 | 1u << 0;  // USART2, TIM2
  REG(kUsart2 + 0x0c) = 160000000 / 115200;
  REG(kUsart2) = 1u << 29 | 1u << 3 | 1;
  REG(kTim2 + 0x2c) = kPeriod - 1;
  REG(kTim2 + 0x0c) = 1;
  REG(0xe000e100 + kTim2Interrupt / 32 * 4) = 1u << kTim2Interrupt % 32;
  REG(kTim2) = 1;
  for (;;) {
    // Never asleep: while the core sleeps the model takes its time from the host, and the host's delays with it.
    while (count < 64) {
    }
    const uint32_t clocks = worst;
    worst = count = 0;
    print("latency ");
    print_number(clocks);
    print(noise[clocks & 0xff] ? " clocks\n" : " clocks \n");
  }
}
