// A fault as it can be told to a person: what the processor says of it, and what the instruction at pc was about to do.
#pragma once

#include "core/platform/debug_unit.h"
#include "wire/fault.h"

namespace mv::debug {

// `context` and `memory` as the application was stopped. Where the access cannot be told it is left out: an imprecise
// fault, a lost frame, an instruction that does not touch the address that the processor names.
fault::Fault explain_fault(const FaultRegisters& registers, const Context& context, ApplicationMemory& memory);

}  // namespace mv::debug
