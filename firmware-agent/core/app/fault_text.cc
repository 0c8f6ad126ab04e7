#include "core/app/fault_text.h"

#include <array>
#include <cstdint>

namespace mv::app {
namespace {

struct Cause {
  std::uint32_t debug::FaultRegisters::*word;
  unsigned bit;
  std::string_view text;
};

constexpr std::array kCauses = {
    Cause{&debug::FaultRegisters::cfsr, 16, "usage fault: undefined instruction"},
    Cause{&debug::FaultRegisters::cfsr, 17, "usage fault: branch to an address without the Thumb bit"},
    Cause{&debug::FaultRegisters::cfsr, 18, "usage fault: bad exception return"},
    Cause{&debug::FaultRegisters::cfsr, 19, "usage fault: coprocessor or FPU is not enabled"},
    Cause{&debug::FaultRegisters::cfsr, 20, "usage fault: stack overflow"},
    Cause{&debug::FaultRegisters::cfsr, 24, "usage fault: unaligned access"},
    Cause{&debug::FaultRegisters::cfsr, 25, "usage fault: division by zero"},
    Cause{&debug::FaultRegisters::cfsr, 0, "memory fault: code fetched from a forbidden address"},
    Cause{&debug::FaultRegisters::cfsr, 1, "memory fault: forbidden data access"},
    Cause{&debug::FaultRegisters::cfsr, 3, "memory fault: bad stack at exception return"},
    Cause{&debug::FaultRegisters::cfsr, 4, "memory fault: bad stack at exception entry"},
    Cause{&debug::FaultRegisters::cfsr, 5, "memory fault: bad stack while saving the FPU"},
    Cause{&debug::FaultRegisters::cfsr, 8, "bus fault: code fetched from where nothing is"},
    Cause{&debug::FaultRegisters::cfsr, 9, "bus fault: data access to where nothing is"},
    Cause{&debug::FaultRegisters::cfsr, 10, "bus fault: an earlier write went to where nothing is"},
    Cause{&debug::FaultRegisters::cfsr, 11, "bus fault: bad stack at exception return"},
    Cause{&debug::FaultRegisters::cfsr, 12, "bus fault: bad stack at exception entry"},
    Cause{&debug::FaultRegisters::cfsr, 13, "bus fault: bad stack while saving the FPU"},
    Cause{&debug::FaultRegisters::sfsr, 0, "secure fault: jump into secure memory"},
    Cause{&debug::FaultRegisters::sfsr, 1, "secure fault: bad stack signature"},
    Cause{&debug::FaultRegisters::sfsr, 2, "secure fault: bad exception return"},
    Cause{&debug::FaultRegisters::sfsr, 3, "secure fault: access to secure memory"},
    Cause{&debug::FaultRegisters::sfsr, 4, "secure fault: bad branch to the secure side"},
    Cause{&debug::FaultRegisters::sfsr, 5, "secure fault: bad stack while saving the FPU"},
    Cause{&debug::FaultRegisters::hfsr, 1, "hard fault: the vector table cannot be read"},
};

}  // namespace

std::string_view describe(debug::Event event, const debug::FaultRegisters& fault) {
  if (event == debug::Event::kBreakpoint) return "breakpoint instruction, and no debugger is attached";
  for (const Cause& cause : kCauses) {
    if ((fault.*cause.word >> cause.bit & 1U) != 0) return cause.text;
  }
  return "hard fault: no cause is recorded";
}

}  // namespace mv::app
