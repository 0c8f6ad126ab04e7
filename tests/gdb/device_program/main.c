// The application that the device sessions debug. The scripts find lines by the words behind "MARK".
#include "app.h"

enum { kMicroseconds = 0x010, kVeneers = 0x100c0000 };  // mvGetMicroseconds (sdk/include/mv_syscall_table.h)

// One granule of 32 bytes.
struct shared {
  volatile uint32_t busy;
  volatile uint32_t quiet;
  volatile uint8_t left, right;
  volatile uint32_t from_handler;
};
__attribute__((aligned(32))) struct shared shared;
volatile uint32_t rounds, result, served, handled;
uint64_t now;

static uint32_t call(uint32_t offset, void* out) {
  uint32_t (*veneer)(void*) = (uint32_t(*)(void*))(kVeneers + offset + 1);
  return veneer(out);  // MARK veneer
}

static uint32_t leaf(uint32_t value) { return value + 1; }  // MARK leaf

// Called by main and by the interrupt handler.
__attribute__((noinline)) uint32_t common(uint32_t value) { return value + 2; }

// A jump instead of a call at the end; and one through a register.
__attribute__((noinline, optimize("O2"))) uint32_t tail_end(uint32_t value) {
  __asm volatile("");
  return 3 * value;
}
__attribute__((noinline, optimize("O2"))) uint32_t tail(uint32_t value) { return tail_end(value + 1); }

// Tables of bytes and of halfwords.
__attribute__((naked, noinline)) uint32_t by_table(uint32_t value) {
  (void)value;
  __asm volatile(
      ".global halfword_table, table_end\n"
      "push {r4, lr}\n"
      "and r0, r0, #1\n"
      "halfword_table: tbh [pc, r0, lsl #1]\n"
      "1: .2byte (2f - 1b) / 2, (3f - 1b) / 2\n"
      "2: movs r0, #20\n"
      "b table_end\n"
      "3: movs r0, #30\n"
      "table_end: pop {r4, pc}\n");
}

static void count(volatile uint32_t* sum, uint32_t value) { *sum = *sum + value; }

static uint32_t local(uint32_t value) {
  volatile uint32_t sum = 0;
  count(&sum, value);  // MARK local
  count(&sum, value);
  return sum;  // MARK summed
}

static void masked(void) {
  __asm volatile("cpsid i");
  result = result + 1;  // MARK masked
  result = result + 1;
  __asm volatile("cpsie i");
}

void SVC_Handler(void) { served = served + 1; }

void on_tick(void) {
  shared.from_handler = shared.from_handler + 1;  // MARK handler
  handled = handled + common(0);
}

int main(void) {
  start_ticks(1000);
  for (;;) {
    rounds = rounds + 1;
    shared.busy = rounds;  // MARK busy
    shared.left = (uint8_t)rounds;
    if (rounds % 8 == 0) shared.quiet = rounds;
    if (rounds % 8 == 4) shared.right = (uint8_t)rounds;
    result = leaf(rounds);                             // MARK call leaf
    result = common(rounds);                           // MARK call common
    result = tail(rounds);                             // MARK call tail
    result = by_table(rounds);                         // MARK table
    result = call(kMicroseconds, &now);                // MARK system call
    __asm volatile("svc 0");                           // MARK svc
    result = local(rounds);                            // MARK call local
    masked();                                          // MARK call masked
    __atomic_fetch_add(&result, 1, __ATOMIC_SEQ_CST);  // MARK atomic
    __asm volatile("cmp %0, #0\n ite ne\n movne r3, #1\n moveq r3, #2" : : "r"(rounds) : "r3", "cc");  // MARK it
    __asm volatile("wfi");                                                                             // MARK wait
    result = 0;                                                                                        // MARK end
  }
}
