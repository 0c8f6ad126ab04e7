// A conformance program: what the microvisor relies on, of the core and of the chip, tried item by item.
//
// It is Secure code with a little Non-secure code, needs nothing of the microvisor, and runs on a board as on the model
// (`emulator/qemu-stm32u585`). It waits for an order on its serial line and writes two lines an item: docs/selftest.md.
// An item that faults or does not end has failed; the rest is run all the same. To add items: write ITEM(...) in a new
// file `*_items.cc` and run scripts/generate-conformance; build, test and table find the items in the source. What is
// measured, or read to be looked at, ends with a call of measured.h.
//
// Paragraphs: a chapter or register of ARM DDI 0553B (issue y), or "RM0456 <section>" for the chip.
#pragma once

#include <cstdint>

namespace conformance {

// --- items

struct Item {
  const char* paragraph;
  const char* promise;
  void (*run)();
};

// Ends the item: it has failed, and its line says where and what. In a handler that takes a reset of the chip.
[[noreturn]] void fail(const char* file, int line, const char* what, std::uint32_t got, std::uint32_t wanted);

#define CONFORMANCE_JOIN2(a, b) a##b
#define CONFORMANCE_JOIN(a, b) CONFORMANCE_JOIN2(a, b)

// ITEM("paragraph", "promise") { CHECK_EQUAL(...); }
#define ITEM(paragraph, promise) ITEM_NUMBERED(paragraph, promise, CONFORMANCE_JOIN(item_, __LINE__))
#define ITEM_NUMBERED(paragraph, promise, name)                              \
  static void name();                                                        \
  static const ::conformance::Item CONFORMANCE_JOIN(name, _entry)            \
      __attribute__((section(".items"), used)) = {paragraph, promise, name}; \
  static void name()

#define CHECK(condition)                                                              \
  do {                                                                                \
    if (!(condition)) ::conformance::fail(__FILE_NAME__, __LINE__, #condition, 0, 1); \
  } while (false)

#define CHECK_EQUAL(got, wanted)                                                            \
  do {                                                                                      \
    const std::uint32_t got_ = static_cast<std::uint32_t>(got);                             \
    const std::uint32_t wanted_ = static_cast<std::uint32_t>(wanted);                       \
    if (got_ != wanted_) ::conformance::fail(__FILE_NAME__, __LINE__, #got, got_, wanted_); \
  } while (false)

// --- what items use

inline volatile std::uint32_t& reg(std::uint32_t address) {
  return *reinterpret_cast<volatile std::uint32_t*>(address);
}
inline void barrier() { __asm volatile("dsb\n isb" : : : "memory"); }

// What the processor stacked, wherever it did.
struct Frame {
  std::uint32_t r0, r1, r2, r3, r12, lr, pc, xpsr;
};

// An exception as its handler saw it. Cleared before each item.
struct Taken {
  std::uint32_t count;
  std::uint32_t exc_return;
  std::uint32_t pc;  // the stacked one
  std::uint32_t xpsr;
  std::uint32_t status;        // DFSR in DebugMonitor; HFSR in HardFault; SFSR in SecureFault. Cleared there
  std::uint32_t address;       // SFAR
  void (*then)(Frame& frame);  // what the handler does next; without one, a HardFault or SecureFault fails the item
};

extern volatile Taken monitor, hard_fault, secure_fault;

// The lines go out here, and nowhere else: output.cc. Parts are separated by tabs; a check of the line is put behind
// it.
void write_line(const char* text);

// Runs `function(a, b)` in Non-secure state, Thread mode; returns what it returned.
std::uint32_t call_nonsecure(const void* function, std::uint32_t a = 0, std::uint32_t b = 0);

}  // namespace conformance
