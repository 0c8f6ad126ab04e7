// The registers of the core that the items use. ARM DDI 0553B, chapter D1.
#pragma once

#include <cstdint>

namespace conformance {

constexpr std::uint32_t kNonSecureAlias = 0x20000;

constexpr std::uint32_t kDwtControl = 0xe0001000, kCycleCount = 0xe0001004;
constexpr std::uint32_t dwt_comparator(std::uint32_t n) { return 0xe0001020 + 16 * n; }
constexpr std::uint32_t dwt_function(std::uint32_t n) { return 0xe0001028 + 16 * n; }
constexpr std::uint32_t kDwtArchitecture = 0xe0001fbc;
constexpr std::uint32_t kMatched = 1U << 24, kDebugEvent = 1U << 4;  // DWT_FUNCTION
constexpr std::uint32_t kByte = 0U << 10, kHalfword = 1U << 10, kWord = 2U << 10;
constexpr std::uint32_t kInstruction = 2, kAccess = 4, kWrite = 5, kRead = 6, kLimit = 7, kLinkedValue = 0xb;

constexpr std::uint32_t kFpControl = 0xe0002000, kFpArchitecture = 0xe0002fbc;
constexpr std::uint32_t fp_comparator(std::uint32_t n) { return 0xe0002008 + 4 * n; }
constexpr std::uint32_t kFpKey = 2, kFpEnable = 1;

constexpr std::uint32_t kSysTick = 0xe000e010;  // CSR, RVR, CVR
constexpr std::uint32_t kIcsr = 0xe000ed04, kVtor = 0xe000ed08, kAircr = 0xe000ed0c, kShpr2 = 0xe000ed1c;
constexpr std::uint32_t kShpr3 = 0xe000ed20, kShcsr = 0xe000ed24, kCfsr = 0xe000ed28, kHfsr = 0xe000ed2c;
constexpr std::uint32_t kDfsr = 0xe000ed30, kSfsr = 0xe000ede4, kSfar = 0xe000ede8;
constexpr std::uint32_t kDhcsr = 0xe000edf0, kDemcr = 0xe000edfc, kDauthctrl = 0xe000ee04, kDauthstatus = 0xe000efb8;
constexpr std::uint32_t kSauControl = 0xe000edd0, kSauNumber = 0xe000edd8, kSauBase = 0xe000eddc,
                        kSauLimit = 0xe000ede0;
constexpr std::uint32_t kNvicDisable = 0xe000e180, kNvicPend = 0xe000e200, kNvicForget = 0xe000e280;
constexpr std::uint32_t kNvicEnable = 0xe000e100, kNvicTarget = 0xe000e380, kNvicPriority = 0xe000e400;

constexpr std::uint32_t kPris = 1U << 14, kVectKey = 0x05faU << 16;                                       // AIRCR
constexpr std::uint32_t kPendSvSet = 1U << 28, kPendSvClear = 1U << 27;                                   // ICSR
constexpr std::uint32_t kMonitorActive = 1U << 8, kSecureFaultEnable = 1U << 19;                          // SHCSR
constexpr std::uint32_t kHalted = 1, kBkpt = 2, kDwtTrap = 4;                                             // DFSR
constexpr std::uint32_t kDebugEvt = 1U << 31, kForced = 1U << 30;                                         // HFSR
constexpr std::uint32_t kMonEn = 1U << 16, kMonPend = 1U << 17, kMonStep = 1U << 18, kMonReq = 1U << 19;  // DEMCR
constexpr std::uint32_t kSdme = 1U << 20, kTrcena = 1U << 24;
constexpr std::uint32_t kSpidenSel = 1, kIntSpiden = 2;  // DAUTHCTRL
constexpr std::uint32_t kMonitorPriority = 0x60;

}  // namespace conformance
