// What lies where on the STM32U585 under the microvisor (RM0456, 2.3.2 and 7.3.1).
//
// Bank 1 of the flash and 512 KiB of SRAM are the application's, as on the original platform; bank 2 and the upper half
// of SRAM3 are ours. The veneers are the last page of bank 2, where the system calls have always been.
#pragma once

#include <cstdint>

#include "arch/cortex-m33/memory_probe.h"
#include "boards/stm32u585/flash_layout.h"

namespace mv::board {

inline constexpr std::uint32_t kMicrovisor = kSecureFlash + kImage;
inline constexpr std::uint32_t kVeneers = kSecureFlash + kVeneerPage;

inline constexpr arch::ApplicationRegions kApplication = {
    .code = 0x08000000,
    .code_size = 0x100000,
    .ram = 0x20000000,
    .ram_size = 0x80000,
    .peripherals = 0x40000000,
    .peripherals_size = 0x10000000,
    .runs_in_flash = true,
};

// The microvisor's RAM: 128 KiB of the upper half of SRAM3, by its Secure alias. The last bytes: what the boot stage
// tells the image it starts (core/image/choice.h).
inline constexpr std::uint32_t kRam = 0x30080000;
inline constexpr std::uint32_t kRamSize = 0x20000;
inline constexpr std::uint32_t kHandover = kRam + kRamSize - 32;
inline constexpr std::uint32_t kEccNote = kHandover - 112;  // a word of the flash driver, for its NMI handler

inline constexpr std::uint32_t kCoreClock = 160'000'000;  // Hz, of the core and of all buses
inline constexpr std::uint32_t kExternalInterrupts = 126;

}  // namespace mv::board
