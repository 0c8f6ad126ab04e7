// Items that go wrong, each in a way of its own, for the test of the program itself: conformance_test.py.
#include "../board.h"
#include "../conformance.h"
#include "../measured.h"
#include "../registers.h"

namespace conformance {

ITEM("broken", "a check does not hold") { CHECK_EQUAL(reg(kDemcr) & kTrcena, 0); }

ITEM("broken", "a number is out of its range") { counted(7, {8, 9}, "apples", "the test"); }

ITEM("broken", "it faults") { __asm volatile("udf #0"); }

ITEM("broken", "it faults in a handler") {
  reg(kDemcr) = kMonEn | kTrcena;
  monitor.then = [](Frame&) { __asm volatile("udf #0"); };
  reg(kDemcr) = reg(kDemcr) | kMonPend;
  barrier();
}

ITEM("broken", "it does not end") {
  for (;;) continue;
}

ITEM("broken", "it resets the chip") { board_reset(); }

ITEM("broken", "it holds") { CHECK(true); }

}  // namespace conformance
