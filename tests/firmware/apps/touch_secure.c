// Reads Secure memory.
#include "app.h"

int main(void) {
  print("touch: reading Secure memory\r\n");
  print_hex(REG32(0x10010000));
  print("touch: got it\r\n");
  return 0;
}
