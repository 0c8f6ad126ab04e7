// MON_STEP: one instruction, then DebugMonitor.
#include "conformance.h"
#include "nonsecure.h"
#include "registers.h"

namespace conformance {
namespace {

std::uint32_t address_of(const std::uint16_t* place) { return reinterpret_cast<std::uint32_t>(place) & ~1U; }
std::uint32_t call(std::uint32_t (*function)()) { return call_nonsecure(reinterpret_cast<const void*>(function)); }

constexpr std::uint32_t kMost = 24;
std::uint32_t places[kMost];
std::uint32_t place_count;
std::uint32_t stop_at;  // the address at which stepping ends

// From a breakpoint at its first instruction, steps until `stop_at` or for kMost steps, and notes where each step
// ended.
void step_on(Frame& frame) {
  if (monitor.status == kBkpt) {
    reg(fp_comparator(0)) = 0;
    reg(kDemcr) = kTrcena | kMonEn | kMonStep;
    barrier();
    return;
  }
  if (place_count < kMost) places[place_count++] = frame.pc;
  if (monitor.status != kHalted || frame.pc == stop_at || place_count == kMost) reg(kDemcr) = kTrcena | kMonEn;
  barrier();
}

void step_from(const std::uint16_t* first, const std::uint16_t* last) {
  place_count = 0;
  stop_at = address_of(last);
  monitor.then = step_on;
  reg(kDemcr) = kTrcena | kMonEn;
  reg(fp_comparator(0)) = address_of(first) | 1;
  reg(kFpControl) = kFpKey | kFpEnable;
  barrier();
}

}  // namespace

ITEM("B13.4 stepping", "each return from DebugMonitor executes one instruction, of two or four bytes") {
  step_from(ns_straight_wide, ns_straight_end);
  CHECK_EQUAL(call(ns_straight), 0x1235);
  CHECK_EQUAL(place_count, 3);
  CHECK_EQUAL(places[0], address_of(ns_straight_add));
  CHECK_EQUAL(places[1], address_of(ns_straight_nop));
  CHECK_EQUAL(places[2], address_of(ns_straight_end));
  CHECK_EQUAL(monitor.status, kHalted);
}

ITEM("B13.4 stepping", "branches and a skipped IT block are steps too") {
  step_from(ns_branches_if, ns_branches_end);
  CHECK_EQUAL(call(ns_branches), 0);
  CHECK_EQUAL(places[0], address_of(ns_branches_taken));
  CHECK_EQUAL(places[1], address_of(ns_branches_skipped));
  CHECK_EQUAL(places[2], address_of(ns_branches_skipped) + 2);
  CHECK_EQUAL(places[5], address_of(ns_branches_loop) + 2);
  CHECK_EQUAL(places[6], address_of(ns_branches_loop));
  CHECK_EQUAL(places[8], address_of(ns_branches_end));
  CHECK_EQUAL(place_count, 9);
}

ITEM("B13.4 stepping", "an exception that is taken leads into its handler, and the step out of it back") {
  step_from(reinterpret_cast<const std::uint16_t*>(reinterpret_cast<std::uint32_t>(&ns_pend) & ~1U), ns_pend_after);
  const std::uint32_t before = ns_pendsv_count;
  CHECK_EQUAL(call(ns_pend), before + 1);
  bool handler = false, back = false;
  for (std::uint32_t i = 0; i < place_count; ++i) {
    handler = handler || places[i] == address_of(ns_pend_return);
    back = handler && places[i] <= address_of(ns_pend_after) && places[i] >= address_of(ns_pend_after) - 8;
  }
  CHECK(handler);
  CHECK(back);
}

ITEM("B13.4 stepping", "code that DebugMonitor does not outrank is not stepped") {
  reg(kDemcr) = kTrcena | kMonEn;
  __asm volatile("msr basepri, %0\n isb" : : "r"(0x40) : "memory");
  reg(kDemcr) = kTrcena | kMonEn | kMonStep;
  barrier();
  __asm volatile("nop\n nop\n nop");
  reg(kDemcr) = kTrcena | kMonEn;
  __asm volatile("msr basepri, %0\n isb" : : "r"(0) : "memory");
  CHECK_EQUAL(monitor.count, 0);
}

}  // namespace conformance
