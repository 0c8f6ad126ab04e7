#include "gdbserver/arm/fault.h"

#include <array>

namespace mv::gdb::arm {
namespace {

// CFSR (ARM DDI 0553B, D1.2).
constexpr std::uint32_t kUsageIllegal = 1U << 16 | 1U << 17 | 1U << 18 | 1U << 19;
constexpr std::uint32_t kDivideByZero = 1U << 25;
constexpr std::uint32_t kUnaligned = 1U << 24;
constexpr std::uint32_t kBusFaults = 0xff00;
constexpr std::uint32_t kImprecise = 1U << 10;

}  // namespace

std::string describe_fault(const fault::Fault& fault) {
  std::array<char, fault::kLongestText> buffer{};
  return std::string(fault::describe(fault, buffer));
}

std::uint8_t fault_signal(const fault::Fault& fault) {
  constexpr std::uint8_t kIllegal = 4, kArithmetic = 8, kBus = 10, kSegment = 11;
  if ((fault.cfsr & kDivideByZero) != 0) return kArithmetic;
  if ((fault.cfsr & kUsageIllegal) != 0) return kIllegal;
  if ((fault.cfsr & (kBusFaults | kUnaligned)) != 0) return kBus;
  return kSegment;
}

bool is_imprecise(const fault::Fault& fault) { return (fault.cfsr & kImprecise) != 0; }

}  // namespace mv::gdb::arm
