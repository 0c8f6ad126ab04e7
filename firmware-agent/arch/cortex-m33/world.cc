#include "arch/cortex-m33/world.h"

#include <array>
#include <cstring>
#include <utility>

#include "arch/cortex-m33/core_traits.h"
#include "arch/cortex-m33/critical_section.h"
#include "arch/cortex-m33/memory_watch.h"
#include "arch/cortex-m33/registers.h"
#include "arch/cortex-m33/world_context.h"
#include "core/platform/flash_map.h"

namespace mv::arch {
namespace {

constexpr std::uint32_t kThumb = 1U << 24;  // xPSR.T

// SFSR.AUVIOL alone: an access to data. QEMU 7.2 sets SFARVALID with it for exception frames only.
constexpr std::uint32_t kAttributionViolation = 1U << 3, kFaultAddressValid = 1U << 6;
constexpr std::uint32_t kBadExceptionReturn = 1U << 18;  // CFSR.INVPC
constexpr std::uint32_t kProcessStack = 1U << 1;         // CONTROL.SPSEL
constexpr std::uint32_t kHardFault = 3;                  // exception number, and index of its vector
constexpr std::uint32_t kException = 0x1ff;              // xPSR
constexpr std::uint32_t kLongestWatch = 256;  // bytes; what a debugger can be sent with each stop sets the limit

// Runs in Non-secure state, at the end of the application's RAM: ends what is left of an application. Some of it can
// only be done from there: an exception is deactivated by returning from it, and QEMU 7.2 lets nobody else reach
// SysTick_NS (its alias bus-faults).
constexpr std::array<std::uint16_t, 7> kHelper = {
    0x4770,  // bx lr: ends the exception whose number is in the frame's xPSR
    0xbe00,  // bkpt: back to us
    0x2100,  // movs r1, #0
    0x6001,  // str r1, [r0]: SYST_CSR = 0
    0x6081,  // str r1, [r0, #8]: SYST_CVR = 0
    0xbe00,  // bkpt
    0xbf00,  // nop
};
constexpr std::uint32_t kHelperReturn = 0;  // offsets of its entry points, in bytes
constexpr std::uint32_t kHelperLanding = 2;
constexpr std::uint32_t kHelperSysTick = 4;
constexpr std::uint64_t kHelperLimit = 100'000;  // us
constexpr std::uint32_t kHelperSize = 32;        // bytes, the frames it runs on lie below it
static_assert(sizeof(kHelper) <= kHelperSize);

std::uint32_t helper_at(const ApplicationRegions& regions) { return regions.ram + regions.ram_size - kHelperSize; }

// EXC_RETURN as Non-secure code uses it: to Non-secure Thread mode, main stack, no FP.
constexpr std::uint32_t kReturnToThread = 0xffffffb8;

void disable_interrupts() {
  for (std::uint32_t word = 0; word < kInterruptWords; ++word) {
    const std::uint32_t offset = word * 4;
    const std::uint32_t ours = reg32(kNvicTargetNonSecure + offset);
    reg32(kNvicClearEnable + offset) = ours;
    reg32(kNvicClearPending + offset) = ours;
    for (std::uint32_t bit = 0; bit < 32; ++bit) {
      if ((ours >> bit & 1) != 0) reg8(kNvicPriority + word * 32 + bit) = 0;
    }
  }
}

void reset_registers(std::uint32_t vectors) {
  reg32(kHandlerControl + kNonSecureAlias) = 0;                      // active and pending system exceptions too
  reg32(kInterruptControl + kNonSecureAlias) = 1U << 27 | 1U << 25;  // clear PendSV, SysTick
  reg32(kMpuControl + kNonSecureAlias) = 0;
  reg32(kConfiguration + kNonSecureAlias) = 0x201;  // as after reset
  reg32(kPriority2 + kNonSecureAlias) = 0;
  reg32(kPriority3 + kNonSecureAlias) = 0;
  reg32(kCoprocessorAccess + kNonSecureAlias) = 0;
  reg32(kFaultStatus + kNonSecureAlias) = 0xffffffff;
  reg32(kVectorTable + kNonSecureAlias) = vectors;
  write_control_ns(0);
  write_primask_ns(0);
  write_basepri_ns(0);
  write_faultmask_ns(0);
  write_msplim_ns(0);
  write_psplim_ns(0);
  write_psp_ns(0);
}

// EXC_RETURN as the application's own handler finds it in LR, for the interruption that `from` describes to us (ARM DDI
// 0553B, D1.2.95): Mode and FType are the same, SPSEL is that of its own stacks, ES is Non-secure.
std::uint32_t application_exc_return(ExcReturn from, bool process_stack) {
  constexpr std::uint32_t kModeAndType = 0x18, kBase = 0xffffffa0;
  return kBase | (from.value & kModeAndType) | (from.thread_mode() && process_stack ? 0x04U : 0U);
}

bool stands_at_bkpt(const debug::Context& context, ProbedMemory& memory) {
  std::array<std::uint8_t, 2> opcode{};
  return memory.read(context.pc(), opcode) && opcode[1] == 0xbe;
}

// What a Secure HardFault means.
debug::Event kind_of(const debug::Context& context, const debug::FaultRegisters& fault, ProbedMemory& memory) {
  if (!context.frame_valid) return debug::Event::kFault;
  if (stands_at_bkpt(context, memory)) return debug::Event::kBreakpoint;
  const bool violation = (fault.sfsr & ~kFaultAddressValid) == kAttributionViolation;
  return memory_watch.closed() && violation ? debug::Event::kWatchpoint : debug::Event::kFault;
}

}  // namespace

std::uint32_t CoreRegisters::read(std::uint32_t address) { return reg32(address); }
void CoreRegisters::write(std::uint32_t address, std::uint32_t value) { reg32(address) = value; }

void World::listen(debug::DebugEvents* events, CrashListener* crashes) {
  const InterruptsOff guard;
  events_ = events;
  crashes_ = crashes;
}

void World::set_state(State state) {
  state_ = state;
  scheduler_.set_world_runnable(state == State::kRunning || state == State::kCleaning);
}

bool World::start() {
  std::uint32_t stack = 0, entry = 0;
  stop();
  if (!image_is_plausible(stack, entry)) return false;
  clean_up();
  if (!copy_image()) return false;
  begin(stack, entry);
  return true;
}

void World::stop() {
  {
    const InterruptsOff guard;
    set_state(State::kStopped);
    halt_wanted_ = false;
    resume_wanted_ = false;
    fault_noted_ = false;
    masked_ = false;
    set_in_fault_handler(false);
    status_left_ = 0;
    step_wanted_ = false;
    debug_status_ = {};
  }
  remove_watchpoints();
  pend_switch();  // takes back BASEPRI_S too: from here on no interrupt of the application is taken
}

// The initial stack pointer in its RAM, the reset vector in its code and with the Thumb bit.
bool World::image_is_plausible(std::uint32_t& stack, std::uint32_t& entry) {
  std::array<std::uint32_t, 2> vectors{};
  auto bytes = std::as_writable_bytes(std::span(vectors));
  const std::span<std::uint8_t> out(reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size());
  if (flash_.read(flash_map::kApplication.offset, out) != Flash::Result::kOk) return false;
  stack = vectors[0];
  entry = vectors[1];
  const ApplicationRegions& regions = memory_.regions();
  return stack % 4 == 0 && lies_within(stack - 256, 256, regions.ram, regions.ram_size) && (entry & 1) != 0 &&
         lies_within(entry & ~1U, 2, regions.code, regions.code_size);
}

bool World::copy_image() {
  const ApplicationRegions& regions = memory_.regions();
  if (regions.runs_in_flash) return true;
  const std::span<std::uint8_t> code(reinterpret_cast<std::uint8_t*>(regions.code), regions.code_size);
  const bool copied = flash_.read(flash_map::kApplication.offset, code) == Flash::Result::kOk;
  barrier();
  return copied;
}

void World::clean_up() {
  const ApplicationRegions& regions = memory_.regions();
  const std::uint32_t helper = helper_at(regions);
  std::memcpy(reinterpret_cast<void*>(helper), kHelper.data(), sizeof(kHelper));
  barrier();
  disable_interrupts();
  reset_registers(regions.code);
  retire_active_exceptions();

  auto* frame = reinterpret_cast<ExceptionFrame*>(helper) - 1;
  *frame = {.r0 = kSysTickControl,
            .r1 = 0,
            .r2 = 0,
            .r3 = 0,
            .r12 = 0,
            .lr = 0,
            .pc = helper + kHelperSysTick,
            .xpsr = kThumb};
  write_msp_ns(reinterpret_cast<std::uint32_t>(frame));
  run_helper(ExcReturn::kNonSecureThread);
  reset_registers(regions.code);
  disable_interrupts();
}

// A stopped application may have been in interrupt handlers, whose exceptions are still active and would keep the next
// application's at bay. NVIC's active bits cannot be written: each is ended by an exception return.
void World::retire_active_exceptions() {
  const std::uint32_t helper = helper_at(memory_.regions());
  for (std::uint32_t number = 0; number < kInterruptWords * 32; ++number) {
    const std::uint32_t offset = number / 32 * 4;
    const std::uint32_t bit = 1U << number % 32;
    if ((reg32(kNvicActive + offset) & reg32(kNvicTargetNonSecure + offset) & bit) == 0) continue;
    auto* frames = reinterpret_cast<ExceptionFrame*>(helper) - 2;
    frames[0] = {.r0 = 0,
                 .r1 = 0,
                 .r2 = 0,
                 .r3 = 0,
                 .r12 = 0,
                 .lr = kReturnToThread,
                 .pc = helper + kHelperReturn,
                 .xpsr = kThumb | (number + 16)};
    frames[1] = {.r0 = 0, .r1 = 0, .r2 = 0, .r3 = 0, .r12 = 0, .lr = 0, .pc = helper + kHelperLanding, .xpsr = kThumb};
    write_control_ns(0);
    write_msp_ns(reinterpret_cast<std::uint32_t>(frames));
    run_helper(ExcReturn::kNonSecureHandler);
  }
}

bool World::run_helper(std::uint32_t exc_return) {
  const std::uint64_t limit = clock_.uptime_us() + kHelperLimit;
  scheduler_.reset_world(exc_return);
  scheduler_.mask_world_interrupts(true);
  set_state(State::kCleaning);
  while (state_ == State::kCleaning && clock_.uptime_us() < limit) scheduler_.wait_until(limit);
  const bool done = state_ == State::kStopped;
  set_state(State::kStopped);
  scheduler_.mask_world_interrupts(false);
  fault_noted_ = false;
  return done;
}

// A forged frame on the application's own stack, popped by the exception return that starts it.
void World::begin(std::uint32_t stack, std::uint32_t entry) {
  auto* frame = reinterpret_cast<ExceptionFrame*>(stack & ~7U) - 1;
  *frame = {.r0 = 0, .r1 = 0, .r2 = 0, .r3 = 0, .r12 = 0, .lr = 0xffffffff, .pc = entry & ~1U, .xpsr = kThumb};
  write_msp_ns(reinterpret_cast<std::uint32_t>(frame));
  scheduler_.reset_world(ExcReturn::kNonSecureThread);
  const InterruptsOff guard;
  halt_wanted_ = halt_at_start_;
  halt_at_start_ = false;
  set_state(State::kRunning);
  pend_switch();
}

void World::halt() {
  const InterruptsOff guard;
  if (state_ != State::kRunning) return;
  halt_wanted_ = true;
  pend_switch();
}

void World::resume(const debug::Context& context) {
  const InterruptsOff guard;
  if (state_ != State::kHalted) return;
  resume_context_ = context;
  resume_wanted_ = true;
  pend_switch();
}

void World::mask_interrupts(bool masked) {
  masked_ = masked;
  scheduler_.mask_world_interrupts(masked || in_fault_handler_);
  pend_switch();
}

void World::keep_handlers_apart(bool apart) {
  scheduler_.keep_interrupts_apart(apart);
  pend_switch();
}

debug::DebugUnit::Capabilities World::capabilities() const {
  const bool patches = !memory_.regions().runs_in_flash;
  if (comparators_.present()) {
    return {.breakpoints = comparators_.breakpoints(),
            .patches = patches,
            .hardware_step = true,
            .watchpoints = comparators_.watchpoints(),
            .watch_length = kLongestWatch,
            .watching = debug::Watching::kComparators};
  }
  return {.breakpoints = 0,
          .patches = patches,
          .hardware_step = false,
          .watchpoints = memory_watch.capacity(),
          .watch_length = kLongestWatch,
          .watching = debug::Watching::kAttribution};
}

bool World::insert_watchpoint(const debug::Watchpoint& watchpoint) {
  const ApplicationRegions& regions = memory_.regions();
  if (!lies_within(watchpoint.address, watchpoint.length, regions.ram, regions.ram_size)) return false;
  if (comparators_.present()) return comparators_.insert_watchpoint(watchpoint);
  return memory_watch.close(watchpoint.address, watchpoint.length, regions.ram);
}

void World::remove_watchpoints() {
  memory_watch.open_all();
  comparators_.remove_watchpoints();
}

// The middle of a system call, or an interrupt handler of ours: nothing that a debugger is to see. What the application
// set for it is taken out, else it would be hit for ever.
void World::on_debug_monitor(ExcReturn from) {
  const DebugStatus status = comparators_.take_status();
  const auto hit = comparators_.take_hit();
  comparators_.restore();
  if (from.secure()) return;
  comparators_.arm_step(false);
  if (!fault_noted_) fault_ = {};
  if (!fault_noted_) frame_lost_ = false;
  debug_status_.bits |= status.bits;
  watch_hit_ = hit;
  fault_noted_ = true;
  pend_switch();
}

void World::before_return(bool application) { comparators_.arm_step(application && step_wanted_); }

void World::note_fault(const debug::FaultRegisters& fault, bool frame_lost) {
  fault_ = fault;
  // What a handler was given to read and did not clear is no news, unless it is all there is.
  if ((fault.cfsr & ~status_left_) != 0) fault_.cfsr &= ~status_left_;
  frame_lost_ = frame_lost;
  fault_noted_ = true;
}

void World::at_switch_point(SavedContext& world) {
  comparators_.restore();
  if (state_ == State::kHalted && resume_wanted_) {
    resume_wanted_ = false;
    write_context(resume_context_, world);
    set_state(State::kRunning);
  }
  if (fault_noted_) {
    fault_noted_ = false;
    if (state_ == State::kCleaning) {
      set_state(State::kStopped);
      scheduler_.wake();
    } else if (state_ == State::kRunning && returned_from_fault_handler()) {
      leave_fault_handler();
    } else if (state_ == State::kRunning) {
      const bool inside = in_fault_handler_;
      deliver(debug::Event::kFault, world);
      if (in_fault_handler_ == inside) clear_fault_status();  // else the handler is to read it
    }
    return;
  }
  if (state_ == State::kRunning && halt_wanted_) deliver(debug::Event::kHaltRequest, world);
}

void World::deliver(debug::Event event, SavedContext& world) {
  debug::Context context;
  debug::FaultRegisters fault;
  const bool faulted = event == debug::Event::kFault;
  read_context(world, faulted && frame_lost_, context);
  const DebugStatus status = std::exchange(debug_status_, {});
  if (faulted) event = kind_of_event(context, status);
  if (faulted && is_foreign(event, context, status)) return;
  step_wanted_ = false;
  if (event == debug::Event::kFault || event == debug::Event::kWatchpoint) fault = fault_;
  delivering_ = faulted ? &world : nullptr;
  delivered_ = event;

  using Verdict = debug::DebugEvents::Verdict;
  const Verdict otherwise = faulted ? Verdict::kCrash : Verdict::kHalt;
  switch (events_ != nullptr ? events_->on_event(event, context, fault) : otherwise) {
    case Verdict::kResume:
      if (event == debug::Event::kHaltRequest) halt_wanted_ = false;
      write_context(context, world);
      break;
    case Verdict::kHalt:
      halt_wanted_ = false;
      set_state(State::kHalted);
      scheduler_.wake();
      break;
    case Verdict::kCrash:
      if (reflects_ && enter_fault_handler(context)) break;
      halt_wanted_ = false;
      set_state(State::kStopped);
      if (crashes_ != nullptr) crashes_->on_crash(event, context, fault);
      scheduler_.wake();
      break;
  }
  delivering_ = nullptr;
}

// A fault is told before what DebugMonitor saw of the same instruction; an access before the step that made it.
debug::Event World::kind_of_event(const debug::Context& context, DebugStatus status) {
  const bool faulted = !context.frame_valid || (fault_.cfsr | fault_.sfsr) != 0;
  if (faulted || status.bits == 0) return kind_of(context, fault_, memory_);
  if (status.watch() && watch_hit_) return debug::Event::kWatchpoint;
  if (status.step()) return debug::Event::kStep;
  return status.watch() ? debug::Event::kWatchpoint : debug::Event::kBreakpoint;
}

// Whether the application caused it with comparators of its own, which are gone by now.
bool World::is_foreign(debug::Event event, const debug::Context& context, DebugStatus status) {
  if (status.bits == 0 || event == debug::Event::kFault) return false;
  if (event == debug::Event::kWatchpoint) return !watch_hit_;
  if (event == debug::Event::kStep) return !step_wanted_;
  return !comparators_.has_breakpoint(context.pc()) && !stands_at_bkpt(context, memory_);
}

// ---- the application's own HardFault handler ----

void World::set_in_fault_handler(bool inside) {
  in_fault_handler_ = inside;
  scheduler_.mask_world_interrupts(masked_ || inside);
}

// The handler is entered as if the processor had taken the exception: a frame for it on the main stack, whose
// EXC_RETURN leads to the frame of the fault.
bool World::enter_fault_handler(debug::Context& context) {
  if (delivering_ == nullptr || in_fault_handler_ || !context.frame_valid) return false;
  const std::uint32_t exception = context.core[16] & kException;
  std::array<std::uint32_t, 1> handler{};
  const std::span<std::uint8_t> bytes(reinterpret_cast<std::uint8_t*>(handler.data()), sizeof(handler));
  const std::uint32_t vector = reg32(kVectorTable + kNonSecureAlias) + 4 * kHardFault;
  if (exception == kHardFault || !memory_.read(vector, bytes)) return false;
  if ((handler[0] & 1) == 0 || !memory_.is_code(handler[0] & ~1U)) return false;

  SavedContext& world = *delivering_;
  const std::uint32_t stack = read_control_ns() & kProcessStack;
  const debug::Context faulted = context;
  ExceptionFrame frame = {.r0 = context.core[0],
                          .r1 = context.core[1],
                          .r2 = context.core[2],
                          .r3 = context.core[3],
                          .r12 = context.core[12],
                          .lr = application_exc_return({world.exc_return}, stack != 0),
                          .pc = handler[0] & ~1U,
                          .xpsr = kThumb | kHardFault};
  if (push_frame({ExcReturn::kNonSecureHandler}, &frame.r0, sizeof(frame)) == nullptr) return false;
  write_control_ns(read_control_ns() & ~kProcessStack);
  world.exc_return = ExcReturn::kNonSecureHandler;
  stack_of_fault_ = stack;
  status_left_ = reg32(kFaultStatus + kNonSecureAlias);
  set_in_fault_handler(true);
  if (crashes_ != nullptr) crashes_->on_reflected(delivered_, faulted, fault_);
  scheduler_.wake();
  read_context(world, false, context);
  return true;
}

// The handler's exception is active for nobody but itself, so its return is refused: INVPC, taken without unstacking,
// at the frame that it was about to return to.
bool World::returned_from_fault_handler() const {
  return in_fault_handler_ && !frame_lost_ && (fault_.cfsr & kBadExceptionReturn) != 0;
}

void World::leave_fault_handler() {
  reg32(kFaultStatus + kNonSecureAlias) = kBadExceptionReturn;
  write_control_ns((read_control_ns() & ~kProcessStack) | stack_of_fault_);
  set_in_fault_handler(false);
}

void World::clear_fault_status() {
  reg32(kFaultStatus + kNonSecureAlias) = 0xffffffff;
  status_left_ = 0;
}

bool World::waits_for_interrupt(const SavedContext& world) const {
  const ExcReturn exc_return{world.exc_return};
  if (exc_return.secure() || !exc_return.thread_mode()) return false;
  const ExceptionFrame* frame = frame_of(world);
  std::array<std::uint8_t, 2> opcode{};
  if (frame == nullptr || !memory_.is_code(frame->pc - 2) || !memory_.read(frame->pc - 2, opcode)) return false;
  return opcode[1] == 0xbf && (opcode[0] == 0x30 || opcode[0] == 0x20);  // WFI, WFE
}

}  // namespace mv::arch
