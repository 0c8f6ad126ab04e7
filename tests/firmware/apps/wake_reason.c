// Says why it was started, and makes system calls from then on.
#include "app.h"
#include "board.h"

enum { kGetMicroseconds = 0x010, kGetWakeReason = 0x1f8 };

static uint32_t call(uint32_t offset, void* out) {
  uint32_t (*veneer)(void*) = (uint32_t(*)(void*))(kVeneers + offset + 1);
  return veneer(out);
}

int main(void) {
  uint8_t reason = 0xff;
  uint64_t now;
  print("wake reason: status ");
  print_hex(call(kGetWakeReason, &reason));
  print(" reason ");
  print_hex(reason);
  print("\r\n");
  start_ticks(100);
  for (;;) {
    (void)call(kGetMicroseconds, &now);
    __asm volatile("wfi");
  }
}
