// Reset, vectors, the exceptions that items look at, and the way out of an item that failed.
#include "board.h"
#include "conformance.h"
#include "measured.h"
#include "nonsecure.h"
#include "registers.h"
#include "report.h"
#include "run.h"

extern "C" {
extern std::uint32_t conf_data_start, conf_data_end, conf_data_load, conf_bss_start, conf_bss_end, conf_stack_end;
extern std::uint32_t conf_ns_start, conf_ns_end, conf_ns_load, conf_ns_stack_end;
extern std::uint32_t conf_nsc_start, conf_nsc_end;

[[noreturn]] void conf_start();
void conf_exception(std::uint32_t exc_return, std::uint32_t msp);
void conf_external(std::uint32_t cycle);

// Where a failed check goes on: the end of its item. In Thread mode, so it works from items, not from handlers.
std::uint32_t conf_resume_stack;
}

namespace conformance {

volatile Taken monitor, hard_fault, secure_fault;
volatile Interrupt interrupt;

namespace {

void sau_region(std::uint32_t n, std::uint32_t first, std::uint32_t last, bool callable) {
  reg(kSauNumber) = n;
  reg(kSauBase) = first;
  reg(kSauLimit) = (last & ~31U) | (callable ? 2U : 0U) | 1U;
}

void set_up() {
  board_set_up();
  sau_region(0, kNonSecureRam, kNonSecureRam + kNonSecureRamSize - 1, false);
  sau_region(1, 0x40000000, 0x4fffffff, false);
  sau_region(2, reinterpret_cast<std::uint32_t>(&conf_nsc_start), reinterpret_cast<std::uint32_t>(&conf_nsc_end) - 1,
             true);
  sau_region(3, 0x0bf80000, 0x0bffffff, false);  // system memory: unique id
  reg(kSauControl) = 1;
  barrier();
  const std::uint32_t* from = &conf_ns_load;
  for (std::uint32_t* to = &conf_ns_start; to < &conf_ns_end;) *to++ = *from++;
  reg(kVtor + kNonSecureAlias) = reinterpret_cast<std::uint32_t>(&conf_ns_start);
}

void forget(volatile Taken& taken) {
  taken.count = 0;
  taken.exc_return = 0;
  taken.pc = 0;
  taken.xpsr = 0;
  taken.status = 0;
  taken.address = 0;
  taken.then = nullptr;
}

// An interrupt whose flag was set for a while after its handler ran is pending again.
void forget_interrupts() {
  for (std::uint32_t word = 0; word < 5; ++word) {
    reg(kNvicDisable + 4 * word) = 0xffffffff;
    reg(kNvicForget + 4 * word) = 0xffffffff;
  }
  interrupt.count = 0;
}

}  // namespace

// Everything as each item finds it: DebugMonitor Secure, at 0x60, not enabled; no comparator; PRIS set; no interrupt.
void reset_debug() {
  reg(kDemcr) = 0;
  reg(kFpControl) = kFpKey;
  for (std::uint32_t n = 0; n < 8; ++n) reg(fp_comparator(n)) = 0;
  reg(kDemcr) = kTrcena;
  for (std::uint32_t n = 0; n < 4; ++n) {
    reg(dwt_function(n)) = 0;
    [[maybe_unused]] const std::uint32_t forgets_match = reg(dwt_function(n));
  }
  reg(kDauthctrl) = kSpidenSel | kIntSpiden;
  reg(kAircr) = kVectKey | kPris;
  reg(kShpr3) = kMonitorPriority;
  reg(kShpr3 + kNonSecureAlias) = 0;
  reg(kShpr2 + kNonSecureAlias) = 0;
  reg(kShcsr) = 0;
  reg(kSysTick) = 0;
  reg(kDfsr) = 0x1f;
  reg(kHfsr) = 0xffffffff;
  reg(kCfsr) = 0xffffffff;
  reg(kCfsr + kNonSecureAlias) = 0xffffffff;
  reg(kSfsr) = 0xff;
  reg(kIcsr + kNonSecureAlias) = kPendSvClear | 1U << 25;
  __asm volatile(
      "msr basepri, %0\n msr primask, %0\n msr primask_ns, %0\n msr basepri_ns, %0\n msr faultmask_ns, %0\n"
      "msr control_ns, %0\n msr msp_ns, %1"
      :
      : "r"(0), "r"(&conf_ns_stack_end));
  forget(monitor);
  forget(hard_fault);
  forget(secure_fault);
  forget_interrupts();
  barrier();
}

// Runs an item so that `leave_item` can leave it from anywhere below.
__attribute__((naked, noinline)) void run_item(void (*)()) {
  __asm volatile(
      "push {r4-r11, lr}\n"
      "sub sp, #4\n"
      "ldr r1, =conf_resume_stack\n"
      "mov r2, sp\n"
      "str r2, [r1]\n"
      "blx r0\n"
      "add sp, #4\n"
      "pop {r4-r11, pc}\n");
}

void leave_item() {
  __asm volatile("mov sp, %0\n add sp, #4\n pop {r4-r11, pc}" : : "r"(conf_resume_stack));
  __builtin_unreachable();
}

namespace {

volatile Taken* taken_of(std::uint32_t exception) {
  switch (exception) {
    case 3:
      return &hard_fault;
    case 7:
      return &secure_fault;
    case 12:
      return &monitor;
    default:
      return nullptr;
  }
}

Frame& frame_of(std::uint32_t exc_return, std::uint32_t msp) {
  if ((exc_return & 0x40) != 0) return *reinterpret_cast<Frame*>(msp);
  std::uint32_t msp_ns;
  __asm volatile("mrs %0, msp_ns" : "=r"(msp_ns));
  return *reinterpret_cast<Frame*>(msp_ns);
}

}  // namespace

void fail(const char* file, int line, const char* what, std::uint32_t got, std::uint32_t wanted) {
  Text found, expected, where;
  found << got;
  expected << wanted;
  (where << file << ":").decimal(static_cast<std::uint32_t>(line)) << ": " << what;
  note_failure(found.text(), expected.text(), where.text());
  std::uint32_t exception;
  __asm volatile("mrs %0, ipsr" : "=r"(exception));
  if (exception != 0) go_on_after_reset();
  leave_item();
}

namespace {

[[noreturn]] void fail_by_exception(std::uint32_t exception, std::uint32_t pc) {
  Text found;
  (found << "exception ").decimal(exception) << " at " << pc << ", CFSR " << reg(kCfsr) << ", SFSR " << reg(kSfsr);
  note_failure(found.text(), "none that the item does not expect", "");
  go_on_after_reset();
}

}  // namespace

std::uint32_t call_nonsecure(const void* function, std::uint32_t a, std::uint32_t b) {
  typedef std::uint32_t __attribute__((cmse_nonsecure_call)) NonSecure(std::uint32_t, std::uint32_t);
  return reinterpret_cast<NonSecure*>(reinterpret_cast<std::uint32_t>(function) & ~1U)(a, b);
}

}  // namespace conformance

extern "C" void conf_exception(std::uint32_t exc_return, std::uint32_t msp) {
  using namespace conformance;
  std::uint32_t exception;
  __asm volatile("mrs %0, ipsr" : "=r"(exception));
  volatile Taken* taken = taken_of(exception);
  Frame& frame = frame_of(exc_return, msp);
  if (taken == nullptr) fail_by_exception(exception, frame.pc);
  taken->count = taken->count + 1;
  taken->exc_return = exc_return;
  taken->pc = frame.pc;
  taken->xpsr = frame.xpsr;
  const std::uint32_t status = exception == 3 ? kHfsr : exception == 7 ? kSfsr : kDfsr;
  taken->status = reg(status);
  taken->address = reg(kSfar);
  reg(status) = taken->status;
  if (taken->then != nullptr) return taken->then(frame);
  if (exception != 12) fail_by_exception(exception, frame.pc);
}

extern "C" __attribute__((naked)) void conf_handler() {
  __asm volatile("mov r0, lr\n mrs r1, msp\n push {r2, lr}\n bl conf_exception\n pop {r2, pc}\n");
}

extern "C" void conf_external(std::uint32_t cycle) {
  using namespace conformance;
  std::uint32_t exception;
  __asm volatile("mrs %0, ipsr" : "=r"(exception));
  const std::uint32_t number = exception - 16;
  reg(kNvicDisable + number / 32 * 4) = 1U << number % 32;
  barrier();
  interrupt.count = interrupt.count + 1;
  interrupt.number = number;
  interrupt.cycle = cycle;
}

extern "C" __attribute__((naked)) void conf_interrupt() {
  __asm volatile("ldr r0, =0xe0001004\n ldr r0, [r0]\n push {r2, lr}\n bl conf_external\n pop {r2, pc}\n");
}

extern "C" void conf_start() {
  const std::uint32_t* from = &conf_data_load;
  for (std::uint32_t* to = &conf_data_start; to < &conf_data_end;) *to++ = *from++;
  for (std::uint32_t* to = &conf_bss_start; to < &conf_bss_end;) *to++ = 0;
  conformance::set_up();
  conformance::obey_orders();
}

// The core's own 16, then 141 external ones.
__asm(
    ".section .vectors, \"a\"\n"
    ".word conf_stack_end, conf_start\n"
    ".rept 14\n .word conf_handler\n .endr\n"
    ".rept 141\n .word conf_interrupt\n .endr\n"
    ".text\n");
