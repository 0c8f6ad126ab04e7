// What a debug session needs of the thing it debugs. One implementation talks to a device (agent_target.h), one is the
// tests'.
//
// All on one thread. Handlers are called once each; a handler may be called from within the call that took it when the
// answer is known already. At most one of read, write, write_registers, attach, detach, reset and resume is open at a
// time, and only resume may be open while the application runs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gdbserver/arm/fault.h"
#include "gdbserver/arm/memory_map.h"
#include "gdbserver/arm/registers.h"
#include "gdbserver/target/breakpoint_program.h"
#include "gdbserver/target/error.h"
#include "gdbserver/target/flash_content.h"
#include "gdbserver/target/memory_cache.h"
#include "gdbserver/target/watchpoint.h"

namespace mv::gdb {

namespace rtos {
struct System;
}

using Bytes = std::vector<std::uint8_t>;

enum class StopReason : std::uint8_t {
  kAttached,
  kBreakpoint,
  kStep,
  kInterrupt,
  kFault,
  kReset,
  kExited,
  kWatchpoint,
  kProgramBreakpoint,  // a BKPT of the program's own
};

// Why and with which registers the application stands still.
struct Stop {
  StopReason reason = StopReason::kAttached;
  arm::RegisterFile registers;
  std::optional<fault::Fault> fault;
  std::optional<WatchHit> watch;  // of kWatchpoint
  std::uint8_t exit_status = 0;   // of kExited
};

// A new program that the device took.
struct Loaded {
  Stop stop;            // at its first instruction
  std::string summary;  // what was done, a sentence for a person
};

struct ResumePlan {
  enum class Mode : std::uint8_t { kRun, kStep, kStepRange };
  Mode mode = Mode::kRun;
  std::uint32_t start = 0;  // kStepRange: [start, end)
  std::uint32_t end = 0;
  bool step_interrupts = false;  // interrupts are taken between steps, and not only where a step ends
  bool reflect_faults = false;   // faults go to the application's own HardFault handler and do not stop it
};

class Target {
 public:
  virtual ~Target() = default;

  // Halts the application, if it runs, and begins a debug session.
  virtual void attach(Handler<Stop> handler) = 0;

  // Removes every breakpoint and lets the application run on. Interrupts it first if a resume is open; that resume's
  // handler is not called any more.
  virtual void detach(Handler<void> handler) = 0;

  virtual const std::vector<Region>& regions() const = 0;

  // At most `length` bytes, and fewer only where what can be read ends.
  virtual void read(std::uint32_t address, std::uint32_t length, Handler<Bytes> handler) = 0;

  // Reads several pieces of flash and RAM in as few round trips as there can be. A piece that cannot be read, or not
  // whole, comes empty. Errors: those of the link.
  virtual void gather(std::vector<MemoryCache::Span> pieces, Handler<std::vector<Bytes>> handler) = 0;
  // These pieces are likely wanted at every stop, the first ones most: they may come with it. Replaces what was said
  // before.
  virtual void expect(std::vector<MemoryCache::Span> pieces) = 0;

  // Reads at any time, also while the application runs and beside everything else; what comes is what is there now.
  // At most kMostPeeked bytes.
  static constexpr std::uint32_t kMostPeeked = 1024;
  virtual void peek(std::uint32_t address, std::uint32_t length, Handler<Bytes> handler) = 0;

  // The last stop there was; kAttached with registers of 0 if there was none.
  virtual Stop last_stop() const = 0;

  virtual void write(std::uint32_t address, Bytes bytes, Handler<void> handler) = 0;
  virtual void write_registers(const arm::RegisterFile& registers, Handler<void> handler) = 0;

  // The handler is called when the application stops.
  virtual void resume(const ResumePlan& plan, Handler<Stop> handler) = 0;

  // Makes an open resume end soon with StopReason::kInterrupt; nothing happens if none is open.
  virtual void interrupt() = 0;

  // Restarts the application and stops it at its first instruction.
  virtual void reset(Handler<Stop> handler) = 0;

  // Makes `content` the application: all of its flash, whatever was there before. It then stands at its first
  // instruction, breakpoints as they were wanted. On an error the old application is there as it was, or the error
  // says what became of it. May take minutes; a detach meanwhile gives it up.
  virtual void load(FlashContent content, Handler<Loaded> handler) = 0;

  // Breakpoints are noted here and take effect with the next resume, so both answer at once.
  virtual Result<void> insert_breakpoint(std::uint32_t address, const BreakpointProgram& program) = 0;
  virtual void remove_breakpoint(std::uint32_t address) = 0;

  // Watchpoints likewise. A range that the device cannot watch is refused.
  virtual Result<void> insert_watchpoint(const Watchpoint& watchpoint) = 0;
  virtual void remove_watchpoint(const Watchpoint& watchpoint) = 0;

  // How watchpoints work on this device, in sentences for `monitor help`.
  virtual std::string watch_help() const = 0;
  virtual WatchSupport watch_support() const = 0;

  // Where the ELF of what runs lies on this machine, absolute; empty if none is known.
  virtual std::string elf_path() const = 0;

  // What may be behind breakpoints. Known once it is attached.
  virtual ProgramLimits program_limits() const = 0;

  // The real-time operating system in that ELF; null if there is none whose threads could be shown.
  virtual std::shared_ptr<const rtos::System> rtos() const = 0;

  // A few lines for `monitor status`: device, link, round trips, breakpoints.
  virtual std::string status() const = 0;

  // Called with a sentence when something happens that the person should know: link lost, link back.
  virtual void on_notice(std::function<void(const std::string&)> handler) = 0;

  // Called with text that the commands of breakpoints printed, while a resume is open.
  virtual void on_console(std::function<void(const std::string&)> handler) = 0;
};

}  // namespace mv::gdb
