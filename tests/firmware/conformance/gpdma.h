// GPDMA1 and its channel 0.
#pragma once

#include <cstdint>

#include "conformance.h"

namespace conformance::gpdma {

// RM0456, "General purpose direct memory access controller (GPDMA)"; by the Secure alias.
inline constexpr std::uint32_t kDma = 0x50020000, kSecureChannels = kDma;
inline constexpr std::uint32_t kLinkBase = kDma + 0x50, kClear = kDma + 0x5c, kStatus = kDma + 0x60,
                               kControl = kDma + 0x64;
inline constexpr std::uint32_t kTransfer1 = kDma + 0x90, kTransfer2 = kDma + 0x94, kBlock = kDma + 0x98,
                               kFrom = kDma + 0x9c;
inline constexpr std::uint32_t kTo = kDma + 0xa0, kLink = kDma + 0xcc;
inline constexpr std::uint32_t kOn = 1U << 0, kReset = 1U << 1, kCompleteInterrupt = 1U << 8;                 // CxCR
inline constexpr std::uint32_t kIdle = 1U << 0, kComplete = 1U << 8, kHalf = 1U << 9, kUserError = 1U << 12;  // CxSR
inline constexpr std::uint32_t kFlags = 0x7f00;                                                               // CxFCR
inline constexpr std::uint32_t kBySoftware = 1U << 9;  // CxTR2.SWREQ
inline constexpr std::uint32_t kLastOnly = 3U << 30;   // CxTR2.TCEM
inline constexpr std::uint32_t kUpdateBlock = 1U << 29, kUpdateFrom = 1U << 28, kUpdateTo = 1U << 27,
                               kUpdateLink = 1U << 16;

inline constexpr std::uint32_t kToPeripheral = 1U << 10;  // CxTR2.DREQ

// Words, both addresses count up; bytes, to one place. Both sides are Secure.
inline constexpr std::uint32_t kSecureWords = 2U | 1U << 3 | 1U << 15 | 2U << 16 | 1U << 19 | 1U << 31;
inline constexpr std::uint32_t kSecureBytes = 1U << 3 | 1U << 15 | 1U << 31;

inline constexpr std::uint32_t kClock = 0x56020c88;  // RCC_AHB1ENR: GPDMA1 is bit 0

// The channel is Secure, idle, without flags and without a next node.
inline void make_fresh() {
  reg(kClock) = reg(kClock) | 1;
  [[maybe_unused]] const std::uint32_t on = reg(kClock);
  reg(kSecureChannels) = reg(kSecureChannels) | 1;
  reg(kControl) = kReset;
  reg(kClear) = kFlags;
  reg(kLink) = 0;
}

}  // namespace conformance::gpdma
