// The Non-secure world: starting and stopping the application, and stopping it for the debugger.
//
// Runs in two places. The Secure thread calls what Application and DebugUnit offer; PendSV_S calls at_switch_point,
// where requests of the thread take effect and events reach the debug engine. A request is a flag, so neither waits for
// the other.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "arch/cortex-m33/comparators.h"
#include "arch/cortex-m33/memory_probe.h"
#include "arch/cortex-m33/memory_watch.h"
#include "arch/cortex-m33/scheduler.h"
#include "core/platform/application.h"
#include "core/platform/debug_unit.h"
#include "core/platform/ports.h"

namespace mv::arch {

// Told, in PendSV_S, that the application ended in a fault nobody debugs. It does not run any more. Short, as on_event.
class CrashListener {
 public:
  virtual void on_crash(debug::Event event, const debug::Context& context, const debug::FaultRegisters& fault) = 0;

  // A fault was given to the application's own HardFault handler: it runs on, there. Likewise short.
  virtual void on_reflected(debug::Event event, const debug::Context& context, const debug::FaultRegisters& fault) = 0;

 protected:
  ~CrashListener() = default;
};

// The Private Peripheral Bus itself.
class CoreRegisters final : public RegisterBus {
 public:
  std::uint32_t read(std::uint32_t address) override;
  void write(std::uint32_t address, std::uint32_t value) override;
};

class World final : public Application, public debug::DebugUnit, public WorldKeeper {
 public:
  World(ProbedMemory& memory, Flash& flash, Scheduler& the_scheduler, Clock& clock)
      : memory_(memory), flash_(flash), scheduler_(the_scheduler), clock_(clock) {}

  void listen(debug::DebugEvents* events, CrashListener* crashes);

  bool start() override;
  void stop() override;
  void reflect_faults(bool wanted) override { reflects_ = wanted; }
  bool running() const override { return state_ == State::kRunning || state_ == State::kHalted; }

  Capabilities capabilities() const override;
  void halt() override;
  void halt_at_start() override { halt_at_start_ = true; }
  void resume(const debug::Context& context) override;
  bool enter_fault_handler(debug::Context& context) override;
  void wake() override { scheduler_.wake(); }
  void mask_interrupts(bool masked) override;
  void keep_handlers_apart(bool apart) override;
  void step_next() override { step_wanted_ = true; }
  bool insert_breakpoint(std::uint32_t address) override { return comparators_.insert_breakpoint(address); }
  bool remove_breakpoint(std::uint32_t address) override { return comparators_.remove_breakpoint(address); }
  bool insert_watchpoint(const debug::Watchpoint& watchpoint) override;
  void remove_watchpoints() override;
  bool guards(std::uint32_t address, std::uint32_t size) const override { return memory_watch.covers(address, size); }
  debug::Watchpoint watchpoint_hit() const override { return watch_hit_.value_or(debug::Watchpoint{}); }

  bool event_pending() const override { return fault_noted_; }
  bool switch_point_wanted() const override { return halt_wanted_; }
  void at_switch_point(SavedContext& world) override;
  void before_return(bool application) override;
  bool waits_for_interrupt(const SavedContext& world) const override;

  // HardFault_S found the fault in the application. `frame_lost`: the processor could not store a frame.
  void note_fault(const debug::FaultRegisters& fault, bool frame_lost);

  // The core's debug units, if it has them. Once, when the core is set up.
  void find_comparators() { comparators_.find(); }
  bool probe_attached() { return comparators_.present() && comparators_.probe_attached(); }

  // DebugMonitor was taken.
  void on_debug_monitor(ExcReturn from);

  // Takes out breakpoints that the application itself set, in code of ours. False if there were none.
  bool restore_comparators() { return comparators_.restore(); }

 private:
  enum class State : std::uint8_t {
    kStopped,
    kCleaning,  // a few instructions of ours run in Non-secure state, see clean_up
    kRunning,
    kHalted,
  };

  bool image_is_plausible(std::uint32_t& stack, std::uint32_t& entry);
  bool copy_image();
  void clean_up();
  void retire_active_exceptions();
  bool run_helper(std::uint32_t exc_return);
  void begin(std::uint32_t stack, std::uint32_t entry);
  void deliver(debug::Event event, SavedContext& world);
  debug::Event kind_of_event(const debug::Context& context, DebugStatus status);
  bool is_foreign(debug::Event event, const debug::Context& context, DebugStatus status);
  bool returned_from_fault_handler() const;
  void leave_fault_handler();
  void clear_fault_status();
  void set_in_fault_handler(bool inside);
  void set_state(State state);

  ProbedMemory& memory_;
  Flash& flash_;
  Scheduler& scheduler_;
  Clock& clock_;
  debug::DebugEvents* events_ = nullptr;
  CrashListener* crashes_ = nullptr;

  volatile State state_ = State::kStopped;
  volatile bool fault_noted_ = false;
  volatile bool frame_lost_ = false;
  volatile bool halt_wanted_ = false;
  volatile bool halt_at_start_ = false;
  volatile bool resume_wanted_ = false;
  debug::FaultRegisters fault_;

  // What DebugMonitor told and was not delivered yet.
  CoreRegisters registers_;
  Comparators comparators_{registers_};
  DebugStatus debug_status_;
  std::optional<debug::Watchpoint> watch_hit_;
  volatile bool step_wanted_ = false;  // MON_STEP is to be set when the application goes on
  debug::Context resume_context_;

  // The application's own HardFault handler, see docs/decisions/0008-reflected-faults.md.
  volatile bool reflects_ = false;
  volatile bool in_fault_handler_ = false;
  volatile bool masked_ = false;        // by the debugger
  std::uint32_t stack_of_fault_ = 0;    // CONTROL_NS.SPSEL where the fault happened
  std::uint32_t status_left_ = 0;       // CFSR_NS that was left for the handler to read
  SavedContext* delivering_ = nullptr;  // while an event is delivered: what it was delivered with
  debug::Event delivered_ = debug::Event::kFault;
};

}  // namespace mv::arch
