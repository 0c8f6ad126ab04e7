// Points its stack nowhere and waits for an interrupt.
#include "app.h"

int main(void) {
  print("stack: gone\r\n");
  start_ticks(1000);
  __asm volatile("movs r0, #0\n mov sp, r0\n 1: b 1b");
  return 0;
}
