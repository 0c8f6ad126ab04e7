// An interrupt that pends itself, above and below the priority of a tick that does nothing else.
#include "app.h"

enum { kPend = 0xe000e200, kEnable = 0xe000e100, kPriorities = 0xe000e400, kFirst = 59, kSecond = 60 };

static volatile uint32_t storms;

void on_interrupt(uint32_t number) {
  storms = storms + 1;
  if (number == kFirst) REG32(kPend + 4) = 1u << (kSecond - 32);
  REG32(kPend + 4) = 1u << (number - 32);
}

int main(void) {
  print("storm: begin\r\n");
  REG32(kPriorities + kFirst) = 0x80 | 0x20 << 8;
  REG32(kEnable + 4) = 1u << (kFirst - 32) | 1u << (kSecond - 32);
  start_ticks(1000);
  REG32(kPend + 4) = 1u << (kFirst - 32);
  for (;;) {
  }
}
