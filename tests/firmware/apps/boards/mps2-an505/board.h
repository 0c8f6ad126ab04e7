// mps2-an505: UART2 (CMSDK, ARM DDI 0479D, 4.3) is the application's console.
#pragma once

#include "app.h"

enum { kConsole = 0x40202000, kClock = 20000000 };
enum { kVeneers = 0x100c0000, kCode = 0x00100000, kSecureCode = 0x10010000, kSecureRam = 0x38000000, kRamEnd = 0x28280000 };

// What mvPeriphPeek32 and mvPeriphPoke32 reach: LEDs 1 to 7 of the configuration controller (LED 0 is the system's), and the
// identification of the board; not the microvisor's console.
enum { kShared = 0x40300004, kSharedMask = 0xfe, kSharedFirst = 0x55, kSharedCleared = 0x10, kSharedSet = 0x82, kSharedAfter = 0xc6 };
enum { kSharedOurs = 1, kReadOnly = 0x40300ffc, kReadOnlyShift = 24, kReadOnlyMask = 0xff, kReadOnlyIs = 0x41 };
enum { kForbidden = 0x40201000, kExternalFlashSize = 0x00400000, kEraseMs = 45 };

static inline void console_set_up(void) {
  REG32(kConsole + 16) = 20;
  REG32(kConsole + 8) = 1;
}

static inline void console_put(char character) {
  while ((REG32(kConsole + 4) & 1) != 0) {
  }
  REG32(kConsole) = (uint8_t)character;
}
