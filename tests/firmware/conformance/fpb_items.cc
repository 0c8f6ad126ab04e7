// The breakpoint unit.
#include "conformance.h"
#include "nonsecure.h"
#include "registers.h"

namespace conformance {
namespace {

std::uint32_t address_of(const std::uint16_t* place) { return reinterpret_cast<std::uint32_t>(place) & ~1U; }
std::uint32_t call(std::uint32_t (*function)()) { return call_nonsecure(reinterpret_cast<const void*>(function)); }

void break_at(std::uint32_t n, std::uint32_t address) {
  reg(kDemcr) = kTrcena | kMonEn;
  reg(fp_comparator(n)) = address | 1;
  reg(kFpControl) = kFpKey | kFpEnable;
  barrier();
}

// Ends the breakpoint that was hit, so that its instruction can be executed.
void lift(Frame& frame) {
  for (std::uint32_t n = 0; n < 8; ++n) {
    if (reg(fp_comparator(n)) == (frame.pc | 1)) reg(fp_comparator(n)) = 0;
  }
  barrier();
}

__attribute__((noinline)) std::uint32_t secure_function() {
  std::uint32_t value = 5;
  __asm volatile("" : "+r"(value));
  return value;
}

}  // namespace

ITEM("B14.5 FPB", "FP_CTRL says revision 2 with eight comparators and no literals") {
  CHECK_EQUAL(reg(kFpControl) >> 28, 1);
  CHECK_EQUAL((reg(kFpControl) >> 8 & 0x70) | (reg(kFpControl) >> 4 & 0xf), 8);
  CHECK_EQUAL(reg(kFpControl) >> 8 & 0xf, 0);
  CHECK_EQUAL(reg(kFpArchitecture), 0x47701a03);
}

ITEM("B14.5 FPB", "FP_CTRL is not written without KEY") {
  reg(kFpControl) = kFpEnable;
  CHECK_EQUAL(reg(kFpControl) & kFpEnable, 0);
  reg(kFpControl) = kFpKey | kFpEnable;
  CHECK_EQUAL(reg(kFpControl) & (kFpKey | kFpEnable), kFpEnable);
}

ITEM("B14.5 FPB", "a match stops before the instruction, as BKPT does") {
  break_at(0, address_of(ns_straight_add));
  monitor.then = lift;
  CHECK_EQUAL(call(ns_straight), 0x1235);
  CHECK_EQUAL(monitor.count, 1);
  CHECK_EQUAL(monitor.status, kBkpt);
  CHECK_EQUAL(monitor.pc, address_of(ns_straight_add));
}

ITEM("B14.5 FPB", "a match stays, and is taken again, until its comparator is disabled") {
  break_at(0, address_of(ns_straight_nop));
  monitor.then = [](Frame& frame) {
    if (monitor.count == 3) lift(frame);
  };
  CHECK_EQUAL(call(ns_straight), 0x1235);
  CHECK_EQUAL(monitor.count, 3);
}

ITEM("B14.5 FPB", "an address in the middle of a 32-bit instruction does not match") {
  break_at(0, address_of(ns_straight_wide) + 2);
  break_at(1, address_of(ns_straight_add) + 2);
  CHECK_EQUAL(call(ns_straight), 0x1235);
  CHECK_EQUAL(monitor.count, 0);
}

ITEM("B14.5 FPB", "code above 0x20000000 and code in Secure flash match alike") {
  break_at(0, reinterpret_cast<std::uint32_t>(&secure_function) & ~1U);
  monitor.then = lift;
  CHECK_EQUAL(secure_function(), 5);
  CHECK_EQUAL(monitor.count, 1);
  CHECK_EQUAL(monitor.exc_return & 0x40, 0x40);
  CHECK(address_of(ns_straight_add) >= 0x20000000);
}

ITEM("B14.5 FPB", "each of the comparators works") {
  for (std::uint32_t n = 0; n < 8; ++n) {
    monitor.count = 0;
    monitor.then = lift;
    break_at(n, address_of(ns_straight_nop));
    CHECK_EQUAL(call(ns_straight), 0x1235);
    CHECK_EQUAL(monitor.count, 1);
  }
}

ITEM("B14.5 FPB", "nothing matches without FP_CTRL.ENABLE, or without the comparator's BE") {
  break_at(0, address_of(ns_straight_nop));
  reg(kFpControl) = kFpKey;
  CHECK_EQUAL(call(ns_straight), 0x1235);
  reg(fp_comparator(0)) = address_of(ns_straight_nop);
  reg(kFpControl) = kFpKey | kFpEnable;
  CHECK_EQUAL(call(ns_straight), 0x1235);
  CHECK_EQUAL(monitor.count, 0);
}

ITEM("B13.4 debug events",
     "a match of the FPB that DebugMonitor is not enabled for is a HardFault with HFSR.DEBUGEVT") {
  break_at(0, address_of(ns_straight_nop));
  reg(kDemcr) = kTrcena;
  hard_fault.then = lift;
  CHECK_EQUAL(call(ns_straight), 0x1235);
  CHECK_EQUAL(monitor.count, 0);
  CHECK_EQUAL(hard_fault.count, 1);
  CHECK_EQUAL(hard_fault.status, kDebugEvt);
  CHECK_EQUAL(hard_fault.pc, address_of(ns_straight_nop));
}

ITEM("B14.5 FPB", "Non-secure state can write the comparators: they are not banked") {
  call_nonsecure(reinterpret_cast<const void*>(ns_write), fp_comparator(3), 0x20050001);
  CHECK_EQUAL(reg(fp_comparator(3)), 0x20050001);
}

}  // namespace conformance
