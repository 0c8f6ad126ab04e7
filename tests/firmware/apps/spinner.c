// Counts as fast as it can; shows how much CPU it gets.
#include "app.h"

int main(void) {
  start_ticks(1000);
  print("spinner: begin\r\n");
  for (uint32_t rounds = 0, next = 100;; ++rounds) {
    if (ticks < next) continue;
    print("spinner: ticks ");
    print_hex(ticks);
    print("\r\n");
    next += 100;
  }
}
