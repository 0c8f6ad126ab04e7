// What the watchpoint tests look at: variables that share a granule of 32 bytes, on the stack, in a handler.
#include "app.h"

// One granule, but `after` begins the next.
struct shared {
  volatile uint32_t busy;   // changes each round
  volatile uint32_t quiet;  // changes each sixteenth
  volatile uint8_t bytes[4];
  volatile uint32_t same;   // written each round, always with the same value
  volatile uint32_t ticks;  // by the interrupt handler
  volatile uint32_t words[3];
  volatile uint32_t after[2];
};
__attribute__((aligned(32))) struct shared shared = {.same = 77};

volatile uint32_t rounds, atomic_rounds, seen;
volatile float level;
volatile double wide_level;

__attribute__((noinline)) void write_quiet(uint32_t value) {
  __asm volatile(".global quiet_store\nquiet_store: str %0, [%1]" : : "r"(value), "r"(&shared.quiet) : "memory");
}

// Stores of several words, across the end of the granule.
__attribute__((naked, noinline)) void write_many(volatile uint32_t* to, uint32_t value) {
  (void)to;
  (void)value;
  __asm volatile(
      ".global many_store, pair_store\n"
      "mov r2, r1\n"
      "mov r3, r1\n"
      "many_store: stmia r0!, {r1, r2, r3}\n"
      "pair_store: strd r1, r2, [r0]\n"
      "bx lr\n");
}

// Begins in one granule and ends in the next.
__attribute__((noinline)) void write_odd(uint32_t value) {
  __asm volatile(".global odd_store\nodd_store: str %0, [%1]" : : "r"(value), "r"((uint32_t)&shared + 30) : "memory");
}

__attribute__((noinline)) uint32_t read_quiet(void) {
  uint32_t value;
  __asm volatile(".global quiet_load\nquiet_load: ldr %0, [%1]" : "=r"(value) : "r"(&shared.quiet) : "memory");
  return value;
}

// A local variable, changed by a callee.
__attribute__((noinline)) void add_to(volatile uint32_t* sum, uint32_t value) { *sum = *sum + value; }
__attribute__((noinline)) uint32_t sum_up(uint32_t round) {
  volatile uint32_t sum = 0;
  for (uint32_t i = 1; i <= 3; ++i) add_to(&sum, round + i);
  return sum;
}

__attribute__((noinline)) void count_atomically(void) { __atomic_fetch_add(&atomic_rounds, 1, __ATOMIC_SEQ_CST); }

__attribute__((noinline)) void write_floats(uint32_t round) {
  level = (float)round;
  wide_level = (double)round;
}

void on_tick(void) { shared.ticks = shared.ticks + 1; }

int main(void) {
  use_fp();
  start_ticks(1000);
  for (;;) {
    rounds = rounds + 1;
    shared.busy = rounds;
    shared.bytes[1] = (uint8_t)rounds;
    shared.same = 77;
    if (rounds % 16 == 0) write_quiet(rounds);
    if (rounds % 16 == 4) write_odd(rounds << 16);
    if (rounds % 16 == 8) write_many(shared.words, rounds);
    seen = read_quiet();
    count_atomically();
    write_floats(rounds);
    seen = sum_up(rounds);
  }
}
