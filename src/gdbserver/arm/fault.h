// What a fault means, in words and as a signal.
//
// Source: ARM DDI 0553B (Armv8-M Architecture Reference Manual), CFSR, HFSR, SFSR.
#pragma once

#include <cstdint>
#include <string>

namespace mv::gdb::arm {

struct FaultRegisters {
  std::uint32_t cfsr = 0;
  std::uint32_t hfsr = 0;
  std::uint32_t mmfar = 0;
  std::uint32_t bfar = 0;
  std::uint32_t sfsr = 0;
  std::uint32_t sfar = 0;
};

// "bus fault: precise data access to 0x40004400". Several causes are joined by "; ".
std::string describe_fault(const FaultRegisters& fault);

// GDB's number of the signal that comes nearest: SIGILL, SIGFPE, SIGBUS or SIGSEGV.
std::uint8_t fault_signal(const FaultRegisters& fault);

}  // namespace mv::gdb::arm
