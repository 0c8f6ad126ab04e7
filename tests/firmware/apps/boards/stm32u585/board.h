// STM32U585: USART2 on PD5 (RM0456, section 66) is the application's console. Its clock is the application's to switch on, as
// the microvisor keeps of RCC only what it needs itself.
#pragma once

#include "app.h"

enum { kConsole = 0x40004400, kRcc = 0x46020c00, kPortD = 0x42020c00, kClock = 160000000 };
enum { kVeneers = 0x0c1fe000, kCode = 0x08000000, kSecureCode = 0x0c110000, kSecureRam = 0x30080000, kRamEnd = 0x20080000 };

// What mvPeriphPeek32 and mvPeriphPoke32 reach: clocks of CORDIC, FMAC and CRC in AHB1ENR (that of FLASH is the microvisor's),
// and RCC_CR to read (PLL1RDY); not the microvisor's console.
enum { kShared = 0x46020c88, kSharedMask = 0x5100e, kSharedFirst = 0x1002, kSharedCleared = 2, kSharedSet = 4, kSharedAfter = 0x1004 };
enum { kSharedOurs = 0x100, kReadOnly = 0x46020c00, kReadOnlyShift = 25, kReadOnlyMask = 1, kReadOnlyIs = 1 };
enum { kForbidden = 0x40013800, kExternalFlashSize = 0x03800000, kEraseMs = 25 };

static inline void console_set_up(void) {
  REG32(kRcc + 0x9c) |= 1u << 17;  // APB1ENR1.USART2EN
  REG32(kRcc + 0x8c) |= 1u << 3;   // AHB2ENR1.GPIODEN
  REG32(kPortD + 0x20) = (REG32(kPortD + 0x20) & ~(15u << 20)) | 7u << 20;
  REG32(kPortD) = (REG32(kPortD) & ~(3u << 10)) | 2u << 10;
  REG32(kConsole) = 0;
  REG32(kConsole + 0x0c) = kClock / 115200;
  REG32(kConsole) = 1u << 29 | 1u << 3 | 1;
}

static inline void console_put(char character) {
  while ((REG32(kConsole + 0x1c) & 1u << 7) == 0) {
  }
  REG32(kConsole + 0x28) = (uint8_t)character;
}
