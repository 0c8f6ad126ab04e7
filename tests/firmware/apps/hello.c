// Runs, ticks, and says so.
#include "app.h"

int main(void) {
  print("hello from the Non-secure side\r\n");
  start_ticks(1000);
  for (uint32_t next = 100; next <= 500; next += 100) {
    while (ticks < next) __asm volatile("wfi");
    print("tick ");
    print_hex(ticks);
    print("\r\n");
  }
  print("done\r\n");
  return 0;
}
