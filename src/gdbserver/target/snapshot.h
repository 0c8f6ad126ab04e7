// Messages to registers and back.
#pragma once

#include "gdbserver/target/target.h"
#include "wire/proto/agent.pb.h"

namespace mv::gdb {

// Too short a field leaves the registers it lacks at 0 and marks them unavailable.
Stop stop_from(const wire::Stopped& stopped);

// Only the words that differ between `before` and `after` are marked for writing.
wire::WriteRegistersRequest register_changes(const arm::RegisterFile& before, const arm::RegisterFile& after);

}  // namespace mv::gdb
