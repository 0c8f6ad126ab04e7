// What a fault is as a signal, and its sentence as a string.
#pragma once

#include <cstdint>
#include <string>

#include "wire/fault.h"

namespace mv::gdb::arm {

// fault::describe, see there.
std::string describe_fault(const fault::Fault& fault);

// GDB's number of the signal that comes nearest: SIGILL, SIGFPE, SIGBUS or SIGSEGV.
std::uint8_t fault_signal(const fault::Fault& fault);

// The processor ran on before it noticed: pc is not at the instruction that is to blame.
bool is_imprecise(const fault::Fault& fault);

}  // namespace mv::gdb::arm
