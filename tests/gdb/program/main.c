// The program that the debug scripts step through. The scripts find lines by the words behind "MARK".
#include <stdint.h>

struct sample {
  int32_t raw;
  int32_t scaled;
  char name[8];
};

volatile uint32_t ticks;
volatile int running = 1;
struct sample latest = {1, 2, "first"};
uint32_t buffer[64];

static int scale(int value, int factor) {
  int product = value * factor;  // MARK scale
  return product + 1;
}

static int depth(int n) {
  if (n == 0) {
    return 1;  // MARK bottom
  }
  return n + depth(n - 1);
}

static void measure(int round) {
  struct sample now = {round, 0, "now"};
  now.scaled = scale(now.raw, 3);  // MARK call
  latest = now;                    // MARK after
  ticks = ticks + 1;               // MARK simple
  ticks = ticks + 1;               // MARK second
}

static void spin(void) {
  __asm volatile("cpsid i");
  while (running) {
    ticks = ticks + 1;  // MARK spin
  }
  __asm volatile("cpsie i");
}

int main(void) {
  for (int i = 0; i < 64; ++i) buffer[i] = (uint32_t)i;  // MARK loop
  for (int round = 1; round <= 3; ++round) {
    measure(round);
  }
  int sum = depth(10);
  ticks = (uint32_t)sum;
  spin();  // MARK spinning
  for (;;) {
    ticks = ticks + 1;
  }
}
