// What lies where on mps2-an505 as QEMU emulates it (ARM AN505; IDAU: address bit 28 set is Secure).
#pragma once

#include <cstdint>

#include "arch/cortex-m33/memory_probe.h"

namespace mv::board {

// Code SSRAM0, 4 MiB: boot ROM 0x10000000 (64 KiB), microvisor 0x10010000 (256 KiB), veneers 0x100c0000 (4 KiB, NSC),
// application 0x00100000 (1 MiB). SSRAM1 at 0x38000000: Secure RAM. SSRAM2: the application's RAM.
inline constexpr std::uint32_t kMicrovisor = 0x10010000;
inline constexpr std::uint32_t kMicrovisorSize = 0x40000;
inline constexpr std::uint32_t kVeneers = 0x100c0000;
inline constexpr std::uint32_t kVeneersSize = 0x1000;

inline constexpr arch::ApplicationRegions kApplication = {
    .code = 0x00100000,
    .code_size = 0x100000,
    .ram = 0x28200000,
    .ram_size = 0x80000,
    .peripherals = 0x40000000,
    .peripherals_size = 0x10000000,
};

// The last bytes of the microvisor's RAM: what the boot ROM tells it (core/image/choice.h). No image puts anything
// there.
inline constexpr std::uint32_t kHandover = 0x38000000 + 128 * 1024 - 32;

// 16 MiB of PSRAM, which QEMU keeps in a file: our flash. No memory protection controller, Secure because the SAU does
// not give it away.
inline constexpr std::uint32_t kFlash = 0x80000000;
inline constexpr std::uint32_t kFlashFile = 0x1000000;

inline constexpr std::uint32_t kTimer0 = 0x50000000;       // CMSDK timer, 20 MHz: the clock
inline constexpr std::uint32_t kWatchdog = 0x5002e000;     // of the 32 kHz domain; its interrupt is NMI
inline constexpr std::uint32_t kLinkUart = 0x50200000;     // UART0
inline constexpr std::uint32_t kConsoleUart = 0x50201000;  // UART1

inline constexpr std::uint32_t kLinkReceiveInterrupt = 32;
inline constexpr std::uint32_t kLinkTransmitInterrupt = 33;
inline constexpr std::uint32_t kSystemLeds = 0x50300004;
inline constexpr std::uint32_t kScc = 0x40300000;        // the same block, by its Non-secure alias
inline constexpr std::uint32_t kCoreClock = 20'000'000;  // Hz; every clock of the machine but the slow one
inline constexpr std::uint32_t kSlowClock = 32'000;      // Hz
inline constexpr std::uint32_t kExternalInterrupts = 92;
inline constexpr std::uint32_t kMicrosecondTicks = 20;  // of the 20 MHz system clock

}  // namespace mv::board
