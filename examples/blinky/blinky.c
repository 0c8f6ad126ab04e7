// blinky: the smallest useful application. Blinks the LED and says so in the log, on bare metal.
#include "../common/board.h"
#include "mv_log.h"
#include "mv_syscalls.h"

static volatile uint32_t ticks;

void SysTick_Handler(void) { ticks = ticks + 1; }

int main(void) {
  uint32_t clock = 0;
  mvGetSysClk(&clock);
  board_start();
  board_ticks(clock / 10);
  mv_log("blinky: hello from the Non-secure side, core clock %lu Hz", (unsigned long)clock);

  for (uint32_t blinks = 0;;) {
    __asm__ volatile("wfi");
    board_led(ticks / 5 & 1);
    if (ticks / 10 > blinks) {
      blinks = ticks / 10;
      mv_log("blinky: %lu blinks", (unsigned long)blinks);
    }
  }
}
