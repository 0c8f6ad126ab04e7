// Measures ten times a second and keeps what it measures in variables of every kind, for `mvctl trace` to look at.
// The tests find lines by the words behind "MARK".
#include <stdint.h>

#include "../common/board.h"
#include "mv_log.h"
#include "mv_syscalls.h"

enum mode { IDLE, WARM, HOT };

struct sample {
  int32_t raw;
  float scaled;
  char unit[4];
};

volatile uint32_t ticks;
volatile int crash_wanted;
uint64_t total = 0x100000000ull;
double ratio = 0.25;
float gain = 1.5f;
uint8_t level = 200;
enum mode mode = WARM;
char name[8] = "porch";
const char *greeting = "hello";
int history[4] = {10, 20, 30, 40};
struct sample latest = {1, 0.5f, "mV"};
struct sample *cursor = &latest;
struct sample *nothing = 0;

void SysTick_Handler(void) { ticks = ticks + 1; }

__attribute__((noinline)) int work(int n) { return n + 1; }

__attribute__((noinline)) void measure(int round) {
  struct sample now = {round, (float)round / 2, "mV"};
  int16_t temp = (int16_t)(round * 5);
  total = total + 1;
  latest = now;  // MARK measured
  (void)temp;
}

// `factor` stays in a floating-point register, `round` in one of the core.
__attribute__((noinline, optimize("O2"))) float optimised(int round, float factor) {
  __attribute__((unused)) int unused;  // the compiler gives it no place
  ratio = 0.25;  // MARK optimised
  return factor * (float)round;
}

// As fast as it can, for a while: more hits than any link carries.
__attribute__((noinline)) void burst(void) {
  for (int i = 0; i < 2000; ++i) {
    level = (uint8_t)i;  // MARK burst
  }
}

// The floating-point unit is the application's to switch on (Arm DDI 0553, D1.2.12: CPACR, CP10 and CP11).
static void switch_on_fpu(void) {
  BOARD_REGISTER(0xE000ED88) |= 0xFU << 20;
  __asm__ volatile("dsb\n isb");
}

// The linker leaves out what nobody names.
static void keep(void) {
  const void *volatile kept = &ratio;
  kept = &level;
  kept = &mode;
  kept = &name;
  kept = &greeting;
  kept = &history;
  kept = &cursor;
  kept = &nothing;
  (void)kept;
}

int main(void) {
  switch_on_fpu();
  keep();
  uint32_t clock = 0;
  mvGetSysClk(&clock);
  board_start();
  board_ticks(clock / 100);
  for (int round = 1;; ++round) {
    const uint32_t end = ticks + 10;
    while (ticks < end) __asm__ volatile("wfi");
    measure(round);
    gain = optimised(round, gain) > 0 ? 1.5f : 1.5f;
    if (round % 50 == 0) burst();
    if (round % 10 == 0) mv_log("trace: round %d", work(round));
    if (crash_wanted) __asm__ volatile("udf 1");
  }
}
