#include "wire/fault.h"

#include <algorithm>
#include <array>

namespace mv::fault {
namespace {

constexpr std::uint32_t kMemoryAddressValid = 1U << 7;  // CFSR
constexpr std::uint32_t kBusAddressValid = 1U << 15;    // CFSR
constexpr std::uint32_t kSecureAddressValid = 1U << 6;  // SFSR

constexpr std::uint32_t kMemoryAccess = 1U << 1;  // CFSR.DACCVIOL
constexpr std::uint32_t kBusAccess = 1U << 9;     // CFSR.PRECISERR
constexpr std::uint32_t kUnaligned = 1U << 24;    // CFSR.UNALIGNED
constexpr std::uint32_t kSecureAccess = 1U << 3;  // SFSR.AUVIOL
constexpr std::uint32_t kForced = 1U << 30;       // HFSR.FORCED

struct Cause {
  std::uint32_t Fault::*word;
  std::uint32_t bit;
  std::string_view kind;
  std::string_view text;  // behind the access, if it is one of data
};

constexpr std::array kCauses = {
    Cause{&Fault::cfsr, 1U << 16, "usage fault: ", "undefined instruction"},
    Cause{&Fault::cfsr, 1U << 17, "usage fault: ", "not in Thumb state (a branch to an even address?)"},
    Cause{&Fault::cfsr, 1U << 18, "usage fault: ", "bad exception return"},
    Cause{&Fault::cfsr, 1U << 19, "usage fault: ", "no coprocessor (is the FPU enabled?)"},
    Cause{&Fault::cfsr, 1U << 20, "usage fault: ", "stack overflow, below the stack limit"},
    Cause{&Fault::cfsr, kUnaligned, "usage fault: ", "unaligned"},
    Cause{&Fault::cfsr, 1U << 25, "usage fault: ", "division by zero"},
    Cause{&Fault::cfsr, 1U << 0, "memory fault: ", "code fetched from where the MPU forbids it"},
    Cause{&Fault::cfsr, kMemoryAccess, "memory fault: ", "forbidden by the MPU"},
    Cause{&Fault::cfsr, 1U << 3, "memory fault: ", "bad stack pointer at exception return"},
    Cause{&Fault::cfsr, 1U << 4, "memory fault: ", "bad stack pointer at exception entry"},
    Cause{&Fault::cfsr, 1U << 5, "memory fault: ", "bad stack pointer while floating-point state was saved"},
    Cause{&Fault::cfsr, 1U << 8, "bus fault: ", "code fetched from where nothing is"},
    Cause{&Fault::cfsr, kBusAccess, "bus fault: ", "precise"},
    Cause{&Fault::cfsr, 1U << 10, "bus fault: ", "an earlier write, imprecise: pc is past it"},
    Cause{&Fault::cfsr, 1U << 11, "bus fault: ", "bad stack pointer at exception return"},
    Cause{&Fault::cfsr, 1U << 12, "bus fault: ", "bad stack pointer at exception entry"},
    Cause{&Fault::cfsr, 1U << 13, "bus fault: ", "bad stack pointer while floating-point state was saved"},
    Cause{&Fault::sfsr, 1U << 0, "secure fault: ", "call into memory of the microvisor"},
    Cause{&Fault::sfsr, 1U << 1, "secure fault: ", "corrupted exception frame"},
    Cause{&Fault::sfsr, 1U << 2, "secure fault: ", "bad exception return"},
    Cause{&Fault::sfsr, kSecureAccess, "secure fault: ", "memory of the microvisor"},
    Cause{&Fault::sfsr, 1U << 4, "secure fault: ", "bad branch out of the microvisor"},
    Cause{&Fault::sfsr, 1U << 5, "secure fault: ", "bad stack pointer while floating-point state was saved"},
    Cause{&Fault::hfsr, 1U << 1, "hard fault: ", "the vector table cannot be read"},
};

// Exceptions 3 to 7 (ARM DDI 0553B, B3.3).
constexpr std::uint32_t kHardFault = 3;
constexpr std::array<std::string_view, 5> kFaultHandlers = {"HardFault", "MemManage", "BusFault", "UsageFault",
                                                            "SecureFault"};

class Text {
 public:
  explicit Text(std::span<char> buffer) : buffer_(buffer) {}

  void add(std::string_view text) {
    const std::size_t size = std::min(text.size(), buffer_.size() - size_);
    std::copy_n(text.begin(), size, buffer_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += size;
  }
  void add_hex(std::uint32_t value) {
    add("0x");
    for (int shift = 28; shift >= 0; shift -= 4) add({&"0123456789abcdef"[value >> shift & 0xF], 1});
  }
  bool empty() const { return size_ == 0; }
  std::string_view view() const { return {buffer_.data(), size_}; }

 private:
  std::span<char> buffer_;
  std::size_t size_ = 0;
};

bool is_data_access(const Cause& cause) {
  if (cause.word == &Fault::sfsr) return cause.bit == kSecureAccess;
  return cause.word == &Fault::cfsr && (cause.bit & (kMemoryAccess | kBusAccess | kUnaligned)) != 0;
}

void add_access(Text& text, const Fault& fault) {
  const Address address = data_address(fault);
  if (!address.known) return text.add("access to data, ");
  text.add(!fault.access.known() ? "access to " : fault.access.writes ? "write to " : "read of ");
  text.add_hex(address.value);
  text.add(", ");
}

// A fault in a handler of faults: there is none left who would take it.
void add_handler(Text& text, std::uint32_t exception) {
  const std::uint32_t index = exception - kHardFault;
  if (index >= kFaultHandlers.size()) return;
  text.add(exception == kHardFault ? ", in the " : ", escalated in the ");
  text.add(kFaultHandlers[index]);
  text.add(" handler");
}

}  // namespace

bool of_precise_data(const Fault& fault) {
  return (fault.cfsr & (kMemoryAccess | kBusAccess | kUnaligned)) != 0 || (fault.sfsr & kSecureAccess) != 0;
}

Address data_address(const Fault& fault) {
  if ((fault.cfsr & kBusAccess) != 0 && (fault.cfsr & kBusAddressValid) != 0) return {true, fault.bfar};
  if ((fault.cfsr & kMemoryAccess) != 0 && (fault.cfsr & kMemoryAddressValid) != 0) return {true, fault.mmfar};
  if ((fault.sfsr & kSecureAccess) != 0 && (fault.sfsr & kSecureAddressValid) != 0) return {true, fault.sfar};
  return {fault.access.known(), fault.access.address};
}

std::string_view describe(const Fault& fault, std::span<char> buffer) {
  Text text(buffer);
  if (fault.exception == kHardFault) text.add("lockup: ");
  const std::string_view start = text.view();
  for (const Cause& cause : kCauses) {
    if ((fault.*cause.word & cause.bit) == 0) continue;
    if (text.view().size() > start.size()) text.add("; ");
    text.add(cause.kind);
    if (is_data_access(cause)) add_access(text, fault);
    text.add(cause.text);
  }
  if (text.view().size() == start.size()) {
    text.add((fault.hfsr & kForced) != 0
                 ? "hard fault: an exception that could not be taken (SVC with interrupts masked?)"
                 : "hard fault: no cause is recorded");
  }
  add_handler(text, fault.exception);
  return text.view();
}

}  // namespace mv::fault
