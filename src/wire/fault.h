// What a fault of the application means, in words: the one sentence that the device logs and records, that mvctl shows
// and that GDB prints.
//
// Freestanding, no heap. Source: ARM DDI 0553B (Armv8-M Architecture Reference Manual), D1.2: CFSR, HFSR, SFSR.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace mv::fault {

// What the faulting instruction did to memory, told by decoding it.
struct Access {
  std::uint32_t address = 0;  // of its first byte
  std::uint32_t size = 0;     // bytes; 0: not known, or the fault is none of data
  bool writes = false;

  bool known() const { return size != 0; }
  bool operator==(const Access&) const = default;
};

struct Fault {
  std::uint32_t cfsr = 0;
  std::uint32_t hfsr = 0;
  std::uint32_t mmfar = 0;
  std::uint32_t bfar = 0;
  std::uint32_t sfsr = 0;
  std::uint32_t sfar = 0;
  Access access = {};
  std::uint32_t exception = 0;  // IPSR where it happened: the handler that ran, 0 for none
};

inline constexpr std::string_view kBreakpoint = "breakpoint instruction, and no debugger is attached";
inline constexpr std::size_t kLongestText = 1400;  // bytes; room for every cause at once

// An access to data failed, and the processor stopped right at the instruction: its decoding tells the truth.
bool of_precise_data(const Fault& fault);

// The address of the data that could not be had: what the processor says, or else what the instruction says.
struct Address {
  bool known = false;
  std::uint32_t value = 0;
};
Address data_address(const Fault& fault);

// "bus fault: write to 0x40004400, precise". Several causes are joined by "; ". Points into `buffer`; what does not fit
// is cut off.
std::string_view describe(const Fault& fault, std::span<char> buffer);

}  // namespace mv::fault
