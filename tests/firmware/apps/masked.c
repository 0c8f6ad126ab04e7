// Spins with every interrupt it can mask masked.
#include "app.h"

int main(void) {
  print("masked: spinning\r\n");
  __asm volatile("cpsid i\n cpsid f");
  for (;;) {
  }
}
