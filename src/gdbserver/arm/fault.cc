#include "gdbserver/arm/fault.h"

#include <array>
#include <string_view>

#include <fmt/format.h>

namespace mv::gdb::arm {
namespace {

struct Cause {
  std::uint32_t bit;
  std::string_view text;
};

constexpr std::uint32_t kMemoryAddressValid = 1U << 7;
constexpr std::uint32_t kBusAddressValid = 1U << 15;
constexpr std::uint32_t kSecureAddressValid = 1U << 6;
constexpr std::uint32_t kUndefinedInstruction = 1U << 16;
constexpr std::uint32_t kUsageIllegal = kUndefinedInstruction | 1U << 17 | 1U << 18 | 1U << 19;
constexpr std::uint32_t kDivideByZero = 1U << 25;
constexpr std::uint32_t kUnaligned = 1U << 24;
constexpr std::uint32_t kBusFaults = 0xff00;

constexpr std::array kConfigurable = {
    Cause{1U << 0, "memory fault: instruction fetch from a forbidden address"},
    Cause{1U << 1, "memory fault: forbidden data access"},
    Cause{1U << 3, "memory fault while an exception returned"},
    Cause{1U << 4, "memory fault while an exception was entered: the stack pointer is bad"},
    Cause{1U << 5, "memory fault while floating-point state was saved"},
    Cause{1U << 8, "bus fault: instruction fetch"},
    Cause{1U << 9, "bus fault: precise data access"},
    Cause{1U << 10, "bus fault: imprecise data access (the pc is past the instruction)"},
    Cause{1U << 11, "bus fault while an exception returned"},
    Cause{1U << 12, "bus fault while an exception was entered: the stack pointer is bad"},
    Cause{1U << 13, "bus fault while floating-point state was saved"},
    Cause{kUndefinedInstruction, "usage fault: undefined instruction"},
    Cause{1U << 17, "usage fault: not in Thumb state (a branch to an even address?)"},
    Cause{1U << 18, "usage fault: bad exception return"},
    Cause{1U << 19, "usage fault: coprocessor disabled (is the FPU enabled?)"},
    Cause{1U << 20, "usage fault: stack overflow (below the stack limit)"},
    Cause{kUnaligned, "usage fault: unaligned access"},
    Cause{kDivideByZero, "usage fault: division by zero"},
};

constexpr std::array kSecure = {
    Cause{1U << 0, "secure fault: call into Secure memory that is no entry point"},
    Cause{1U << 1, "secure fault: corrupted Secure exception frame"},
    Cause{1U << 2, "secure fault: bad exception return"},
    Cause{1U << 3, "secure fault: access to Secure memory"},
    Cause{1U << 4, "secure fault: bad branch from Secure code"},
    Cause{1U << 5, "secure fault while floating-point state was saved"},
};

constexpr std::uint32_t kVectorTable = 1U << 1;

void add(std::string& text, std::string_view cause) {
  if (!text.empty()) text += "; ";
  text += cause;
}

void add_address(std::string& text, bool valid, std::uint32_t address) {
  if (valid && !text.empty()) text += fmt::format(" at 0x{:08x}", address);
}

}  // namespace

std::string describe_fault(const FaultRegisters& fault) {
  std::string text;
  for (const Cause& cause : kConfigurable)
    if ((fault.cfsr & cause.bit) != 0) add(text, cause.text);
  add_address(text, (fault.cfsr & kMemoryAddressValid) != 0, fault.mmfar);
  add_address(text, (fault.cfsr & kBusAddressValid) != 0, fault.bfar);
  const std::size_t before = text.size();
  for (const Cause& cause : kSecure)
    if ((fault.sfsr & cause.bit) != 0) add(text, cause.text);
  add_address(text, text.size() > before && (fault.sfsr & kSecureAddressValid) != 0, fault.sfar);
  if ((fault.hfsr & kVectorTable) != 0) add(text, "hard fault: the vector table cannot be read");
  if (text.empty()) text = fmt::format("hard fault (HFSR 0x{:08x}, CFSR 0x{:08x})", fault.hfsr, fault.cfsr);
  return text;
}

std::uint8_t fault_signal(const FaultRegisters& fault) {
  constexpr std::uint8_t kIllegal = 4, kArithmetic = 8, kBus = 10, kSegment = 11;
  if ((fault.cfsr & kDivideByZero) != 0) return kArithmetic;
  if ((fault.cfsr & kUsageIllegal) != 0) return kIllegal;
  if ((fault.cfsr & (kBusFaults | kUnaligned)) != 0) return kBus;
  return kSegment;
}

}  // namespace mv::gdb::arm
