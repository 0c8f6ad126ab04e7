// Reads Secure memory.
#include "app.h"
#include "board.h"

int main(void) {
  print("touch: reading Secure memory\r\n");
  print_hex(REG32(kSecureCode));
  print("touch: got it\r\n");
  return 0;
}
