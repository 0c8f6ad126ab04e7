// Secure HardFault: the one entry for faults of the application (BFHFNMINS = 0) and of the microvisor itself, and for
// breakpoints where DebugMonitor is not there. Where it is, debug events come by it.
#include "arch/cortex-m33/board_hooks.h"
#include "arch/cortex-m33/registers.h"
#include "arch/cortex-m33/scheduler.h"
#include "arch/cortex-m33/world.h"
#include "arch/cortex-m33/world_context.h"
#include "core/storage/restart_note.h"

extern "C" {
void mv_probe_begin();
void mv_probe_end();
void mv_probe_failed();
}

namespace mv::arch {
namespace {

World* receiver = nullptr;

__attribute__((section(".noinit"))) storage::RestartNote restart_note;

constexpr std::uint32_t kUnstackErrors = 0x0000'0808;   // CFSR.MUNSTKERR, UNSTKERR
constexpr std::uint32_t kStackErrors = 0x0010'1010;     // CFSR.MSTKERR, STKERR, STKOF: no frame was stored
constexpr std::uint32_t kBadReturn = 0x6;               // SFSR.INVIS, INVER: an exception return that was not allowed
constexpr std::uint32_t kSecureAddressValid = 1U << 6;  // SFSR.SFARVALID, which QEMU 7.2 sets for stacking only
constexpr std::uint32_t kAttribution = 1U << 3;         // SFSR.AUVIOL
constexpr std::uint32_t kDebugEvent = 1U << 31;         // HFSR.DEBUGEVT

// Reads the fault registers and clears them, so that the next fault is told apart from this one. The application's own
// bank holds its MemManage and UsageFault status, which its handler may have to read: World clears it. BusFault status
// is Secure.
debug::FaultRegisters take_fault_registers() {
  debug::FaultRegisters fault;
  fault.cfsr = reg32(kFaultStatus) | reg32(kFaultStatus + kNonSecureAlias);
  fault.hfsr = reg32(kHardFaultStatus);
  fault.mmfar = reg32(kMemoryFaultAddress + kNonSecureAlias);
  fault.bfar = reg32(kBusFaultAddress);
  fault.sfsr = reg32(kSecureFaultStatus);
  fault.sfar = reg32(kSecureFaultAddress);
  reg32(kFaultStatus) = reg32(kFaultStatus);
  reg32(kHardFaultStatus) = fault.hfsr;
  reg32(kSecureFaultStatus) = fault.sfsr;
  return fault;
}

// An attribution violation is that of the stacking if it was met within the frame.
bool frame_was_lost(ExcReturn from, const debug::FaultRegisters& fault) {
  constexpr std::uint32_t kViolationAt = kAttribution | kSecureAddressValid;
  const bool stacking_violation =
      (fault.sfsr & kViolationAt) == kViolationAt && !from.secure() && lies_in_frame(from, fault.sfar);
  return (fault.cfsr & (kStackErrors | kUnstackErrors)) != 0 || stacking_violation;
}

std::uint32_t address_of(void (*label)()) { return reinterpret_cast<std::uint32_t>(label) & ~1U; }

// A fault in one of the single accesses of exceptions.S: it just failed.
bool skip_probe(ExceptionFrame& frame) {
  if (frame.pc < address_of(mv_probe_begin) || frame.pc >= address_of(mv_probe_end)) return false;
  frame.pc = address_of(mv_probe_failed);
  return true;
}

[[noreturn]] void secure_fault(const ExceptionFrame& frame, const debug::FaultRegisters& fault) {
  board_panic_text("microvisor: fault in Secure code, please report this");
  board_panic_number("pc", frame.pc);
  board_panic_number("lr", frame.lr);
  board_panic_number("xpsr", frame.xpsr);
  board_panic_number("cfsr", fault.cfsr);
  board_panic_number("hfsr", fault.hfsr);
  board_panic_number("bfar", fault.bfar);
  board_panic_number("sfsr", fault.sfsr);
  board_panic_number("sfar", fault.sfar);
  storage::Restart note;
  note.cause = storage::Restart::Cause::kFault;
  note.pc = frame.pc;
  note.lr = frame.lr;
  note.cfsr = fault.cfsr;
  note.bfar = fault.bfar;
  note.sfsr = fault.sfsr;
  note.sfar = fault.sfar;
  restart(note);
}

}  // namespace

void set_fault_receiver(World& world) {
  receiver = &world;
  world.find_comparators();
}

void reset_device() {
  barrier();
  reg32(kResetControl) = kResetKey | kPrioritiseSecure | kResetSecureOnly | kRequestReset;
  barrier();
  for (;;) __asm volatile("wfi");
}

void panic(const char* why) {
  __asm volatile("cpsid i");
  board_panic_text("microvisor: restarting, because of what must not happen:");
  board_panic_text(why);
  storage::Restart note;
  note.cause = storage::Restart::Cause::kError;
  note.pc = reinterpret_cast<std::uint32_t>(__builtin_return_address(0)) & ~1U;
  note.set_why(why);
  restart(note);
}

void restart(const storage::Restart& note) {
  restart_note.write(note);
  reset_device();
}

storage::Restart take_restart_note() { return restart_note.take(); }

void restart_hung(std::uint32_t exc_return, std::uint32_t msp, std::uint32_t psp) {
  const ExcReturn from{exc_return};
  storage::Restart note;
  note.cause = storage::Restart::Cause::kHung;
  if (from.secure()) {
    const auto& frame = *reinterpret_cast<ExceptionFrame*>(from.thread_mode() && from.process_stack() ? psp : msp);
    note.pc = frame.pc;
    note.lr = frame.lr;
  }
  board_panic_text("microvisor: it does not come round any more, restarting");
  board_panic_number("pc", note.pc);
  restart(note);
}

}  // namespace mv::arch

extern "C" void mv_hard_fault(std::uint32_t exc_return, std::uint32_t msp, std::uint32_t psp) {
  using namespace mv::arch;
  const ExcReturn from{exc_return};
  auto& secure_frame = *reinterpret_cast<ExceptionFrame*>(from.thread_mode() && from.process_stack() ? psp : msp);
  if (from.secure() && skip_probe(secure_frame)) {
    take_fault_registers();
    return;
  }
  const mv::debug::FaultRegisters fault = take_fault_registers();
  const bool bad_return = (fault.sfsr & kBadReturn) != 0;
  // A breakpoint of the application's own making in code of ours that DebugMonitor does not outrank.
  if (from.secure() && fault.hfsr == kDebugEvent && receiver != nullptr && receiver->restore_comparators()) return;
  if ((from.secure() && !bad_return) || receiver == nullptr) secure_fault(secure_frame, fault);
  receiver->note_fault(fault, frame_was_lost(from, fault) || bad_return);
  pend_switch();
}

extern "C" void mv_debug_monitor(std::uint32_t exc_return) {
  if (mv::arch::receiver != nullptr) mv::arch::receiver->on_debug_monitor({exc_return});
}
