// What the microvisor needs of the core beyond debug, and some models get wrong.
#include "conformance.h"
#include "nonsecure.h"
#include "registers.h"

namespace conformance {
namespace {

constexpr std::uint32_t kSecureMemory = 0x30000000;
constexpr std::uint32_t kAuViol = 1U << 3, kSfarValid = 1U << 6;

// The load of two bytes that faulted did not happen; go on after it.
void skip_load(Frame& frame) { frame.pc += 2; }

}  // namespace

ITEM("B11.1 NVIC", "four bits of priority: 16 levels") {
  reg(kShpr3) = 0xff;
  CHECK_EQUAL(reg(kShpr3) & 0xff, 0xf0);
  reg(kNvicPriority) = 0xffffffff;
  CHECK_EQUAL(reg(kNvicPriority), 0xf0f0f0f0);
  reg(kNvicPriority) = 0;
  std::uint32_t basepri;
  __asm volatile("msr basepri, %1\n mrs %0, basepri\n msr basepri, %2" : "=&r"(basepri) : "r"(0xff), "r"(0));
  CHECK_EQUAL(basepri, 0xf0);
}

ITEM("B10.1 SysTick", "Secure state reaches SysTick_NS through its alias") {
  reg(kSysTick + kNonSecureAlias + 4) = 0x1234;
  CHECK_EQUAL(reg(kSysTick + kNonSecureAlias + 4), 0x1234);
  CHECK_EQUAL(call_nonsecure(reinterpret_cast<const void*>(ns_read), kSysTick + 4), 0x1234);
  reg(kSysTick + 4) = 0x77;
  CHECK_EQUAL(reg(kSysTick + kNonSecureAlias + 4), 0x1234);
}

ITEM("D1.2 SFSR", "SFAR is valid when Non-secure data access meets Secure memory") {
  reg(kShcsr) = kSecureFaultEnable;
  secure_fault.then = skip_load;
  call_nonsecure(reinterpret_cast<const void*>(ns_read), kSecureMemory + 0x20);
  CHECK_EQUAL(secure_fault.count, 1);
  CHECK_EQUAL(secure_fault.status, kAuViol | kSfarValid);
  CHECK_EQUAL(secure_fault.address, kSecureMemory + 0x20);
}

ITEM("B3.9 priorities", "SecureFault of lower number than a Non-secure handler under PRIS is taken there") {
  reg(kShcsr) = kSecureFaultEnable;
  reg(0xe000ed18) = 0x10U << 24;  // SHPR1: not zero, and still above everything Non-secure
  reg(kShpr3 + kNonSecureAlias) = 0;
  secure_fault.then = skip_load;
  call_nonsecure(reinterpret_cast<const void*>(ns_handler_reads), kSecureMemory);
  reg(0xe000ed18) = 0;
  CHECK_EQUAL(hard_fault.count, 0);
  CHECK_EQUAL(secure_fault.count, 1);
}

}  // namespace conformance
