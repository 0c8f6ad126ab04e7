// What went wrong, as a sentence: from the fault registers of a Cortex-M33 (ARM DDI 0553B, D1.2: CFSR, HFSR, SFSR).
#pragma once

#include <string_view>

#include "core/platform/debug_unit.h"

namespace mv::app {

// At most 63 characters. The first cause that the registers name, the most telling ones first.
std::string_view describe(debug::Event event, const debug::FaultRegisters& fault);

}  // namespace mv::app
