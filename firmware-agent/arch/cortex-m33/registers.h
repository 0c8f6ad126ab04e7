// The core's own registers, by the names of the architecture (ARM DDI 0553B, chapter D1).
#pragma once

#include <cstdint>

namespace mv::arch {

inline volatile std::uint32_t& reg32(std::uint32_t address) {
  return *reinterpret_cast<volatile std::uint32_t*>(address);
}

inline volatile std::uint8_t& reg8(std::uint32_t address) { return *reinterpret_cast<volatile std::uint8_t*>(address); }

// Added to the address of a banked register, it names the Non-secure one (D1.1: Non-secure alias).
inline constexpr std::uint32_t kNonSecureAlias = 0x20000;

inline constexpr std::uint32_t kSysTickControl = 0xe000e010;
inline constexpr std::uint32_t kSysTickReload = 0xe000e014;
inline constexpr std::uint32_t kSysTickCurrent = 0xe000e018;

inline constexpr std::uint32_t kNvicSetEnable = 0xe000e100;
inline constexpr std::uint32_t kNvicClearEnable = 0xe000e180;
inline constexpr std::uint32_t kNvicClearPending = 0xe000e280;
inline constexpr std::uint32_t kNvicActive = 0xe000e300;
inline constexpr std::uint32_t kNvicTargetNonSecure = 0xe000e380;
inline constexpr std::uint32_t kNvicPriority = 0xe000e400;  // one byte an interrupt

inline constexpr std::uint32_t kInterruptControl = 0xe000ed04;  // ICSR
inline constexpr std::uint32_t kVectorTable = 0xe000ed08;       // VTOR
inline constexpr std::uint32_t kResetControl = 0xe000ed0c;      // AIRCR
inline constexpr std::uint32_t kSystemControl = 0xe000ed10;     // SCR
inline constexpr std::uint32_t kConfiguration = 0xe000ed14;     // CCR
inline constexpr std::uint32_t kPriority2 = 0xe000ed1c;         // SHPR2
inline constexpr std::uint32_t kPriority3 = 0xe000ed20;         // SHPR3
inline constexpr std::uint32_t kHandlerControl = 0xe000ed24;    // SHCSR
inline constexpr std::uint32_t kFaultStatus = 0xe000ed28;       // CFSR
inline constexpr std::uint32_t kHardFaultStatus = 0xe000ed2c;   // HFSR
inline constexpr std::uint32_t kMemoryFaultAddress = 0xe000ed34;
inline constexpr std::uint32_t kBusFaultAddress = 0xe000ed38;
inline constexpr std::uint32_t kCoprocessorAccess = 0xe000ed88;  // CPACR
inline constexpr std::uint32_t kNonSecureAccess = 0xe000ed8c;    // NSACR
inline constexpr std::uint32_t kMpuControl = 0xe000ed94, kMpuRegion = 0xe000ed98, kMpuBase = 0xe000ed9c;
inline constexpr std::uint32_t kMpuLimit = 0xe000eda0, kMpuAttributes = 0xe000edc0;
inline constexpr std::uint32_t kSauControl = 0xe000edd0;
inline constexpr std::uint32_t kSauRegionNumber = 0xe000edd8;
inline constexpr std::uint32_t kSauBase = 0xe000eddc;
inline constexpr std::uint32_t kSauLimit = 0xe000ede0;
inline constexpr std::uint32_t kSecureFaultStatus = 0xe000ede4;
inline constexpr std::uint32_t kSecureFaultAddress = 0xe000ede8;
inline constexpr std::uint32_t kFpContextControl = 0xe000ef34;  // FPCCR

inline constexpr std::uint32_t kPendSvSet = 1U << 28;         // ICSR
inline constexpr std::uint32_t kResetKey = 0x05faU << 16;     // AIRCR.VECTKEY
inline constexpr std::uint32_t kPrioritiseSecure = 1U << 14;  // AIRCR.PRIS
inline constexpr std::uint32_t kResetSecureOnly = 1U << 3;    // AIRCR.SYSRESETREQS
inline constexpr std::uint32_t kRequestReset = 1U << 2;       // AIRCR.SYSRESETREQ

// MV_SPECIAL_REGISTER(name): read_name() and write_name(value) for a register that MRS and MSR reach.
#define MV_SPECIAL_REGISTER(name)                   \
  inline std::uint32_t read_##name() {              \
    std::uint32_t value;                            \
    __asm volatile("mrs %0, " #name : "=r"(value)); \
    return value;                                   \
  }                                                 \
  inline void write_##name(std::uint32_t value) { __asm volatile("msr " #name ", %0\n isb" : : "r"(value) : "memory"); }

MV_SPECIAL_REGISTER(basepri)
MV_SPECIAL_REGISTER(primask)
MV_SPECIAL_REGISTER(msp)
MV_SPECIAL_REGISTER(psp)
MV_SPECIAL_REGISTER(msp_ns)
MV_SPECIAL_REGISTER(psp_ns)
MV_SPECIAL_REGISTER(msplim_ns)
MV_SPECIAL_REGISTER(psplim_ns)
MV_SPECIAL_REGISTER(primask_ns)
MV_SPECIAL_REGISTER(basepri_ns)
MV_SPECIAL_REGISTER(faultmask_ns)
MV_SPECIAL_REGISTER(control_ns)

#undef MV_SPECIAL_REGISTER

inline void barrier() { __asm volatile("dsb\n isb" : : : "memory"); }

// Has PendSV_S run as soon as nothing more urgent does.
inline void pend_switch() {
  reg32(kInterruptControl) = kPendSvSet;
  barrier();
}

}  // namespace mv::arch
