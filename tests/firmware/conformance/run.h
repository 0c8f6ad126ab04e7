// Runs the items that are ordered over the serial line, and goes on behind one that reset the chip.
#pragma once

#include <cstdint>

#include "conformance.h"

namespace conformance {

// Waits for orders for ever.
[[noreturn]] void obey_orders();

// For start.cc: what an item comes to an end with. The verdict is told by it, and counted.
void note_failure(const char* found, const char* expected, const char* where);

// The item cannot be left in the usual way: a reset, and the run goes on with the next one.
[[noreturn]] void go_on_after_reset();

// Each item finds everything like this, and `run` is left by `leave_item` from anywhere in Thread mode: start.cc.
void reset_debug();
void run_item(void (*run)());
[[noreturn]] void leave_item();

}  // namespace conformance
