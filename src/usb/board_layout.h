// Where the microvisor's parts lie on a board that is flashed over USB, and what its option bytes must be. One table:
// an address that changes is changed here.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace mv::usb::stm32u585 {

inline constexpr std::string_view kBoard = "stm32u585";  // as in the header of a signed image

// Internal flash (RM0456, 7.3.1). The boot loader sees it Non-secure; the Secure alias is the same memory.
inline constexpr std::uint32_t kFlash = 0x0800'0000;
inline constexpr std::uint32_t kSecureFlash = 0x0C00'0000;
inline constexpr std::uint32_t kFlashSize = 2 * 1024 * 1024;
inline constexpr std::uint32_t kPageSize = 8 * 1024;
inline constexpr std::uint32_t kQuadWord = 16;  // what is written at once

// SRAM1 to SRAM3 are one block (RM0456, 2.3); the Secure alias lies 0x10000000 above.
inline constexpr std::uint32_t kRam = 0x2000'0000;
inline constexpr std::uint32_t kSecureRam = 0x3000'0000;
inline constexpr std::uint32_t kRamSize = 768 * 1024;

// The option bytes as the boot loader presents them: FLASH_OPTR and the registers after it (RM0456, 7.9.13).
inline constexpr std::uint32_t kOptionBytes = 0x4002'2040;
inline constexpr std::uint32_t kOptionBytesSize = 64;

// Places that have a name: `--image FILE@boot-stage`.
struct Place {
  std::string_view name;
  std::uint32_t address;
  std::uint32_t size;  // bytes
};
inline constexpr Place kBootStage = {"boot-stage", 0x0C10'0000, 0x0000'E000};
inline constexpr Place kMicrovisor = {"microvisor", 0x0C10'FF80, 0x0004'0080};  // its header, then what runs in place
inline constexpr Place kIdentity = {"identity", 0x0C1F'C000, 0x0000'2000};
inline constexpr std::array kPlaces = {kBootStage, kMicrovisor, kIdentity};

// `--option-bytes microvisor`: what the boot stage asks for (docs/board-stm32u585.md): TrustZone on, bank 1 the
// application's (a Secure area that ends before it begins), bank 2 ours, and the reset goes to the boot stage.
struct Setting {
  std::string_view name;
  std::uint32_t value;
};
inline constexpr std::array kMicrovisorSettings = {
    Setting{"TZEN", 1},           Setting{"DUALBANK", 1},    Setting{"SECBOOTADD0", kBootStage.address},
    Setting{"SECWM1_PSTRT", 127}, Setting{"SECWM1_PEND", 0}, Setting{"SECWM2_PSTRT", 0},
    Setting{"SECWM2_PEND", 127},
};

}  // namespace mv::usb::stm32u585
