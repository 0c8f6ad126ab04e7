// The watchpoint unit and the cycle counter.
#include "conformance.h"
#include "nonsecure.h"
#include "registers.h"

namespace conformance {
namespace {

std::uint32_t address_of(const std::uint16_t* place) { return reinterpret_cast<std::uint32_t>(place) & ~1U; }
std::uint32_t word(std::uint32_t n) { return reinterpret_cast<std::uint32_t>(&ns_words[n]); }
std::uint32_t ns(std::uint32_t (*function)(std::uint32_t, std::uint32_t), std::uint32_t a, std::uint32_t b) {
  return call_nonsecure(reinterpret_cast<const void*>(function), a, b);
}
std::uint32_t read(std::uint32_t address) { return call_nonsecure(reinterpret_cast<const void*>(ns_read), address); }

void watch(std::uint32_t n, std::uint32_t address, std::uint32_t function) {
  reg(kDemcr) = kTrcena | kMonEn;
  reg(dwt_function(n)) = 0;
  reg(dwt_comparator(n)) = address;
  reg(dwt_function(n)) = function;
  barrier();
}

}  // namespace

ITEM("B14.2 DWT", "DWT_CTRL says four comparators and a cycle counter") {
  CHECK_EQUAL(reg(kDwtControl) >> 28, 4);
  CHECK_EQUAL(reg(kDwtControl) >> 25 & 1, 0);
  CHECK_EQUAL(reg(kDwtArchitecture), 0x47701a02);
}

ITEM("B14.2 DWT", "DWT_FUNCTION.ID: all do data addresses, 1 and 3 are limits, 1 is a value") {
  for (std::uint32_t n = 0; n < 4; ++n) CHECK_EQUAL(reg(dwt_function(n)) >> 30 & 1, 1);
  CHECK_EQUAL(reg(dwt_function(1)) >> 31, 1);
  CHECK_EQUAL(reg(dwt_function(3)) >> 31, 1);
  CHECK_EQUAL(reg(dwt_function(1)) >> 29 & 1, 1);
}

ITEM("B14.2 DWT", "CYCCNT counts, can be written, and stands without CYCCNTENA") {
  reg(kDwtControl) = 1;
  reg(kCycleCount) = 1000;
  for (int i = 0; i < 1000; ++i) __asm volatile("nop");
  const std::uint32_t after = reg(kCycleCount);
  reg(kDwtControl) = 0;
  const std::uint32_t standing = reg(kCycleCount);
  CHECK(after > 1000 && after < 100'000'000);
  for (int i = 0; i < 1000; ++i) __asm volatile("nop");
  CHECK_EQUAL(reg(kCycleCount), standing);
}

ITEM("B14.2 DWT", "a write is told after it was made: DFSR.DWTTRAP, and the value is there") {
  watch(0, word(1), kWrite | kDebugEvent | kWord);
  ns_words[1] = 0;
  monitor.count = 0;
  ns(ns_write, word(1), 77);
  CHECK_EQUAL(monitor.count, 1);
  CHECK_EQUAL(monitor.status, kDwtTrap);
  CHECK_EQUAL(ns_words[1], 77);
  CHECK(monitor.pc >= address_of(ns_write_after) && monitor.pc <= address_of(ns_write_after) + 4);
}

ITEM("B14.2 DWT", "MATCH tells reads, writes and both apart") {
  watch(0, word(1), kWrite | kDebugEvent | kWord);
  read(word(1));
  CHECK_EQUAL(monitor.count, 0);
  watch(0, word(1), kRead | kDebugEvent | kWord);
  ns(ns_write, word(1), 1);
  CHECK_EQUAL(monitor.count, 0);
  read(word(1));
  CHECK_EQUAL(monitor.count, 1);
  watch(0, word(1), kAccess | kDebugEvent | kWord);
  read(word(1));
  ns(ns_write, word(1), 1);
  CHECK_EQUAL(monitor.count, 3);
}

ITEM("B14.2 DWT", "DATAVSIZE says how many bytes are watched; an access to any of them matches") {
  watch(0, word(1) + 2, kWrite | kDebugEvent | kHalfword);
  ns(ns_write_half, word(1), 1);
  ns(ns_write_byte, word(1) + 1, 1);
  ns(ns_write, word(2), 1);
  CHECK_EQUAL(monitor.count, 0);
  ns(ns_write_byte, word(1) + 3, 1);
  CHECK_EQUAL(monitor.count, 1);
  ns(ns_write, word(1), 1);
  CHECK_EQUAL(monitor.count, 2);
  watch(0, word(1) + 1, kWrite | kDebugEvent | kByte);
  ns(ns_write_byte, word(1), 1);
  CHECK_EQUAL(monitor.count, 2);
  ns(ns_write_byte, word(1) + 1, 1);
  CHECK_EQUAL(monitor.count, 3);
}

ITEM("B14.2 DWT", "an unaligned store matches in the bytes that it writes, and in no others") {
  watch(0, word(1), kWrite | kDebugEvent | kWord);
  ns(ns_write, word(2) + 2, 1);
  ns(ns_write, word(0) - 2, 1);
  CHECK_EQUAL(monitor.count, 0);
  ns(ns_write, word(0) + 1, 1);
  CHECK_EQUAL(monitor.count, 1);
  ns(ns_write, word(1) + 3, 1);
  CHECK_EQUAL(monitor.count, 2);
}

ITEM("B14.2 DWT", "two linked comparators watch a range, its limit included") {
  for (std::uint32_t n = 0; n < 4; n += 2) {
    monitor.count = 0;
    watch(n, word(2), kWrite | kDebugEvent);
    watch(n + 1, word(4) + 1, kLimit | kDebugEvent);
    ns(ns_write, word(1), 1);
    ns(ns_write_byte, word(4) + 2, 1);
    CHECK_EQUAL(monitor.count, 0);
    ns(ns_write, word(2), 1);
    ns(ns_write, word(3), 1);
    ns(ns_write_byte, word(4) + 1, 1);
    CHECK_EQUAL(monitor.count, 3);
    reg(dwt_function(n)) = 0;
    reg(dwt_function(n + 1)) = 0;
  }
}

ITEM("B14.2 DWT", "a linked value has the event wait for it") {
  watch(0, word(3), kWrite | kWord);
  watch(1, 0x1234, kLinkedValue | kDebugEvent | kWord);
  ns(ns_write, word(3), 0x1233);
  ns(ns_write, word(4), 0x1234);
  CHECK_EQUAL(monitor.count, 0);
  ns(ns_write, word(3), 0x1234);
  CHECK_EQUAL(monitor.count, 1);
  CHECK_EQUAL(monitor.status, kDwtTrap);
}

ITEM("B14.2 DWT", "MATCHED is set by a match, and cleared by reading it") {
  watch(2, word(1), kWrite | kWord);
  CHECK_EQUAL(reg(dwt_function(2)) & kMatched, 0);
  ns(ns_write, word(1), 1);
  CHECK_EQUAL(reg(dwt_function(2)) & kMatched, kMatched);
  CHECK_EQUAL(reg(dwt_function(2)) & kMatched, 0);
  CHECK_EQUAL(monitor.count, 0);
}

ITEM("B14.2 DWT", "nothing matches without DEMCR.TRCENA") {
  watch(0, word(1), kWrite | kDebugEvent | kWord);
  reg(kDemcr) = kMonEn;
  ns(ns_write, word(1), 1);
  CHECK_EQUAL(monitor.count, 0);
  reg(kDemcr) = kMonEn | kTrcena;
  ns(ns_write, word(1), 1);
  CHECK_EQUAL(monitor.count, 1);
}

ITEM("B14.2 DWT", "an event that DebugMonitor cannot be pended for is lost") {
  watch(0, word(1), kWrite | kDebugEvent | kWord);
  __asm volatile("msr basepri, %0\n isb" : : "r"(0x60) : "memory");
  reg(word(1)) = 1;
  barrier();
  __asm volatile("msr basepri, %0\n isb" : : "r"(0) : "memory");
  CHECK_EQUAL(monitor.count, 0);
  CHECK_EQUAL(hard_fault.count, 0);
  CHECK_EQUAL(reg(kDfsr) & kDwtTrap, 0);
}

ITEM("B14.2 DWT", "Secure code that touches watched Non-secure memory matches too, with SDME") {
  watch(0, word(1), kWrite | kDebugEvent | kWord);
  reg(word(1)) = 1;
  barrier();
  CHECK_EQUAL(monitor.count, 1);
  CHECK_EQUAL(monitor.exc_return & 0x40, 0x40);
}

ITEM("B14.2 DWT", "an instruction's address matches as it is executed") {
  watch(0, address_of(ns_straight_wide), kInstruction | kDebugEvent | kHalfword);
  CHECK_EQUAL(call_nonsecure(reinterpret_cast<const void*>(ns_straight)), 0x1235);
  CHECK_EQUAL(monitor.count, 1);
  CHECK_EQUAL(monitor.status, kDwtTrap);
  CHECK(monitor.pc >= address_of(ns_straight_wide) && monitor.pc <= address_of(ns_straight_end));
}

}  // namespace conformance
