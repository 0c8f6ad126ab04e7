// The chip's registers that the microvisor uses, by the names of ST's RM0456 (rev 4), with the section that describes
// each. Addresses are the Secure aliases (2.3.2): bit 28 set. The Non-secure alias of a peripheral is
// `non_secure(address)`.
#pragma once

#include <cstdint>

#include "arch/cortex-m33/registers.h"

namespace mv::board {

using arch::reg32;

constexpr std::uint32_t non_secure(std::uint32_t address) { return address & ~0x10000000U; }

// What several places wait for. Hardware that does not answer must not hang the boot: false after some 100,000 looks.
inline bool wait_for(std::uint32_t address, std::uint32_t mask, std::uint32_t value) {
  for (std::uint32_t looks = 0; looks < 400'000; ++looks) {
    if ((reg32(address) & mask) == value) return true;
  }
  return false;
}

inline void set_bits(std::uint32_t address, std::uint32_t bits) { reg32(address) = reg32(address) | bits; }

inline void write_field(std::uint32_t address, std::uint32_t mask, std::uint32_t value) {
  reg32(address) = (reg32(address) & ~mask) | value;
}

// Embedded flash, 7.9.
namespace flash_regs {
inline constexpr std::uint32_t kBase = 0x50022000;
inline constexpr std::uint32_t kAccessControl = kBase + 0x00;  // ACR
inline constexpr std::uint32_t kNonSecureKey = kBase + 0x08, kSecureKey = kBase + 0x0c;
inline constexpr std::uint32_t kNonSecureStatus = kBase + 0x20, kSecureStatus = kBase + 0x24;
inline constexpr std::uint32_t kNonSecureControl = kBase + 0x28, kSecureControl = kBase + 0x2c;
inline constexpr std::uint32_t kEcc = kBase + 0x30;         // ECCR
inline constexpr std::uint32_t kOptions = kBase + 0x40;     // OPTR
inline constexpr std::uint32_t kSecureBoot = kBase + 0x4c;  // SECBOOTADD0R
inline constexpr std::uint32_t kWatermark1 = kBase + 0x50;  // SECWM1R1
inline constexpr std::uint32_t kWatermark2 = kBase + 0x60;  // SECWM2R1
inline constexpr std::uint32_t kKey1 = 0x45670123, kKey2 = 0xcdef89ab;
inline constexpr std::uint32_t kStatusErrors = 0x20fa;  // OPTWERR, PGSERR, SIZERR, PGAERR, WRPERR, PROGERR, OPERR
inline constexpr std::uint32_t kEndOfOperation = 1U << 0;
inline constexpr std::uint32_t kBusy = 1U << 16 | 1U << 17;  // BSY, WDW
inline constexpr std::uint32_t kProgram = 1U << 0, kPageErase = 1U << 1, kSecondBank = 1U << 11, kStart = 1U << 16;
inline constexpr std::uint32_t kLock = 1U << 31;
inline constexpr std::uint32_t kPageShift = 3;           // PNB
inline constexpr std::uint32_t kEccDetected = 1U << 31;  // ECCD: two bits wrong
}  // namespace flash_regs

// Reset and clock control, 11.8.
namespace rcc {
inline constexpr std::uint32_t kBase = 0x56020c00;
inline constexpr std::uint32_t kControl = kBase + 0x00;  // CR
inline constexpr std::uint32_t kConfiguration1 = kBase + 0x1c;
inline constexpr std::uint32_t kPll1Configuration = kBase + 0x28, kPll1Dividers = kBase + 0x34;
inline constexpr std::uint32_t kAhb1 = kBase + 0x88, kAhb2 = kBase + 0x8c, kAhb2Second = kBase + 0x90;
inline constexpr std::uint32_t kAhb3 = kBase + 0x94;
inline constexpr std::uint32_t kApb1 = kBase + 0x9c, kApb2 = kBase + 0xa4, kApb3 = kBase + 0xa8;
inline constexpr std::uint32_t kStatus = kBase + 0xf4;     // CSR: why the chip was reset
inline constexpr std::uint32_t kSecurity = kBase + 0x110;  // SECCFGR
inline constexpr std::uint32_t kHsi48On = 1U << 12, kHsi48Ready = 1U << 13;
inline constexpr std::uint32_t kPll1On = 1U << 24, kPll1Ready = 1U << 25;
inline constexpr std::uint32_t kRemoveResetFlags = 1U << 23, kLsiOn = 1U << 26;
}  // namespace rcc

// Power control, 10.11.
namespace pwr {
inline constexpr std::uint32_t kBase = 0x56020800;
inline constexpr std::uint32_t kVoltage = kBase + 0x0c;       // VOSR
inline constexpr std::uint32_t kBackupDomain = kBase + 0x28;  // DBPR
inline constexpr std::uint32_t kSecurity = kBase + 0x30;      // SECCFGR
inline constexpr std::uint32_t kBoostReady = 1U << 14, kVoltageReady = 1U << 15, kRange1 = 3U << 16, kBoost = 1U << 18;
}  // namespace pwr

// Instruction cache, 9.7.
inline constexpr std::uint32_t kInstructionCache = 0x50030400;

// Global TrustZone controller, 5.7: 1 for SRAM1-3 and most peripherals, 2 for SRAM4 and those of the low-power domain.
namespace gtzc {
inline constexpr std::uint32_t kPeripherals = 0x50032400, kPeripherals2 = 0x56023000;      // TZSC
inline constexpr std::uint32_t kIllegalAccess = 0x50032800, kIllegalAccess2 = 0x56023400;  // TZIC
inline constexpr std::uint32_t kSram1 = 0x50032c00, kSram2 = 0x50033000, kSram3 = 0x50033400, kSram4 = 0x56023800;
inline constexpr std::uint32_t kBlocks = 0x100;  // MPCBB SECCFGR0: 32 blocks of 512 bytes each
}  // namespace gtzc

// Ports A to I, 13.4.
namespace gpio {
inline constexpr std::uint32_t kBase = 0x52020000;
constexpr std::uint32_t port(char letter) { return kBase + static_cast<std::uint32_t>(letter - 'A') * 0x400; }
inline constexpr std::uint32_t kMode = 0x00, kSpeed = 0x08, kPull = 0x0c, kSet = 0x18, kAlternate = 0x20,
                               kSecurity = 0x30;
}  // namespace gpio

// USART and LPUART, 66.8 and 67.7.
namespace usart {
inline constexpr std::uint32_t kUsart1 = 0x50013800, kUsart3 = 0x50004800;
inline constexpr std::uint32_t kControl1 = 0x00, kControl2 = 0x04, kControl3 = 0x08, kBaud = 0x0c, kStatus = 0x1c;
inline constexpr std::uint32_t kClear = 0x20, kReceive = 0x24, kTransmit = 0x28;
inline constexpr std::uint32_t kEnable = 1U << 0, kReceiverOn = 1U << 2, kTransmitterOn = 1U << 3, kFifo = 1U << 29;
inline constexpr std::uint32_t kIdleInterrupt = 1U << 4, kReceiveInterrupt = 1U << 5, kTransmitInterrupt = 1U << 7;
inline constexpr std::uint32_t kReceived = 1U << 5, kTransmitRoom = 1U << 7, kIdle = 1U << 4, kOverrun = 1U << 3;
inline constexpr std::uint32_t kFlowControl = 3U << 8;                         // RTSE, CTSE
inline constexpr std::uint32_t kReceiveDma = 1U << 6, kTransmitDma = 1U << 7;  // of kControl3

// FIFOEN may change while UE is clear only (66.8.1), so UE goes first and comes last.
inline void disable(std::uint32_t uart) {
  reg32(uart + kControl1) = reg32(uart + kControl1) & ~kEnable;
  reg32(uart + kControl1) = 0;
}
inline void enable(std::uint32_t uart, std::uint32_t control1) {
  reg32(uart + kControl1) = control1;
  reg32(uart + kControl1) = control1 | kEnable;
}
}  // namespace usart

// General-purpose DMA, 17.8. Requests: 17.4.3, table of GPDMA1 requests.
namespace gpdma {
inline constexpr std::uint32_t kBase = 0x50020000;
inline constexpr std::uint32_t kSecurity = kBase + 0x00;  // SECCFGR, a bit for each channel
constexpr std::uint32_t channel(std::uint32_t number) { return kBase + 0x50 + 0x80 * number; }
inline constexpr std::uint32_t kClear = 0x0c, kStatus = 0x10, kControl = 0x14, kTransfer1 = 0x40, kTransfer2 = 0x44;
inline constexpr std::uint32_t kBlock = 0x48, kSource = 0x4c, kTarget = 0x50, kLink = 0x7c;
inline constexpr std::uint32_t kEnable = 1U << 0, kReset = 1U << 1, kAllFlags = 0x7f00;
inline constexpr std::uint32_t kComplete = 1U << 8, kHalf = 1U << 9, kErrors = 7U << 10;
inline constexpr std::uint32_t kSourceGrows = 1U << 3, kSourceSecure = 1U << 15;
inline constexpr std::uint32_t kTargetGrows = 1U << 19, kTargetSecure = 1U << 31;
inline constexpr std::uint32_t kToPeripheral = 1U << 10;  // DREQ: the request is the target's
inline constexpr std::uint32_t kUsart3Receive = 28, kUsart3Transmit = 29;
inline constexpr std::uint32_t kLongestBlock = 0xffff;  // bytes
}  // namespace gpdma

// General-purpose timers, 55.4.
namespace timer {
inline constexpr std::uint32_t kTimer5 = 0x50000c00;
inline constexpr std::uint32_t kControl = 0x00, kEvent = 0x14, kCount = 0x24, kPrescaler = 0x28, kReload = 0x2c;
}  // namespace timer

// Independent watchdog, 61.7.
namespace iwdg {
inline constexpr std::uint32_t kBase = 0x50003000;
inline constexpr std::uint32_t kKey = kBase + 0x00, kPrescaler = kBase + 0x04, kReload = kBase + 0x08;
inline constexpr std::uint32_t kStatus = kBase + 0x0c, kEarlyWakeUp = kBase + 0x14;
}  // namespace iwdg

// True random number generator, 48.7.
namespace rng {
inline constexpr std::uint32_t kBase = 0x520c0800;
inline constexpr std::uint32_t kControl = kBase + 0x00, kStatus = kBase + 0x04, kData = kBase + 0x08;
inline constexpr std::uint32_t kHealthTest = kBase + 0x10;
}  // namespace rng

// Tamper and backup registers, 64.6; RTC security, 63.6.
inline constexpr std::uint32_t kBackupRegisters = 0x56007d00;  // TAMP_BKP0R

// OCTOSPI, 28.7.
namespace octospi {
inline constexpr std::uint32_t kSecond = 0x520d2400;  // OCTOSPI2
inline constexpr std::uint32_t kControl = 0x00, kDevice1 = 0x08, kDevice2 = 0x0c, kStatus = 0x20, kClear = 0x24;
inline constexpr std::uint32_t kLength = 0x40, kAddress = 0x48, kData = 0x50, kCommunication = 0x100, kTiming = 0x108;
inline constexpr std::uint32_t kInstruction = 0x110;
inline constexpr std::uint32_t kEnable = 1U << 0, kAbort = 1U << 1;
inline constexpr std::uint32_t kWindow = 0x70000000, kWindowSize = 0x10000000;  // of OCTOSPI2, memory-mapped: 2.3.2
inline constexpr std::uint32_t kDone = 1U << 1, kRoom = 1U << 2, kBusy = 1U << 5, kFailed = 1U << 0;
}  // namespace octospi

// External interrupts of the core, 22.3 (table of vectors).
namespace interrupt {
inline constexpr std::uint32_t kIwdg = 27, kDmaChannel0 = 29, kUsart3 = 63;
}  // namespace interrupt

}  // namespace mv::board
