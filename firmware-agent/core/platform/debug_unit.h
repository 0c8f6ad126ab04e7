// What the debug engine asks of a board: the halted application's context, its memory, and how to stop it.
//
// QEMU's mps2-an505 has no debug units: there a breakpoint is a BKPT patch caught as Secure HardFault and a step is
// made in software; where the core has them it is the FPB, the DWT and DebugMonitor. The engine decides from
// `capabilities`, never from the board's name.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace mv::debug {

// The Non-secure context as it stands while the application is halted. Written back on resume.
struct Context {
  std::array<std::uint32_t, 17> core{};   // r0-r12, sp, lr, pc, xpsr
  std::array<std::uint32_t, 8> system{};  // msp, psp, primask, basepri, faultmask, control, msplim, psplim
  std::array<std::uint32_t, 33> fp{};     // s0-s31, fpscr
  bool has_fp = false;
  bool frame_valid = true;  // false: the stack pointer was bad and no frame was stored; `core` is not to
                            // be trusted but for sp

  std::uint32_t& sp() { return core[13]; }
  std::uint32_t& lr() { return core[14]; }
  std::uint32_t& pc() { return core[15]; }
  std::uint32_t& xpsr() { return core[16]; }
  std::uint32_t pc() const { return core[15]; }
  std::uint32_t xpsr() const { return core[16]; }
};

struct FaultRegisters {
  std::uint32_t cfsr = 0, hfsr = 0, mmfar = 0, bfar = 0, sfsr = 0, sfar = 0;
};

// Why the application stopped, as the exception entry saw it.
enum class Event : std::uint8_t {
  kBreakpoint,  // a BKPT at pc: ours or the program's own
  kStep,        // hardware step done (boards that have it)
  kFault,
  kHaltRequest,  // halt() took effect
  kWatchpoint,   // an access to what insert_watchpoint guards; see Watching for when
};

// Which accesses a watchpoint is for.
enum class WatchKind : std::uint8_t { kWrite, kRead, kAccess };

struct Watchpoint {
  std::uint32_t address = 0;
  std::uint32_t length = 0;  // bytes
  WatchKind kind = WatchKind::kWrite;

  bool operator==(const Watchpoint&) const = default;
};

// How a board notices that watched memory is touched.
enum class Watching : std::uint8_t {
  kNot,
  kComparators,  // the DWT: exact, and told after the access was made
  kAttribution,  // the memory around is made Secure: told before the access, and also when only the surroundings are
                 // touched. Not for stacks, where the processor itself could not store its frames any more
};

// Memory as the application sees it: Non-secure addresses only, checked against its attribution (TT), faults caught.
class ApplicationMemory {
 public:
  // False if any byte is not the application's to read; `out` is then unspecified. Aligned words and half-words are
  // read as such, because peripherals mind.
  virtual bool read(std::uint32_t address, std::span<std::uint8_t> out) = 0;
  virtual bool write(std::uint32_t address, std::span<const std::uint8_t> bytes) = 0;  // RAM, peripherals
  // Changes code where it runs (on mps2-an505 the copy in SRAM); never reaches the stored image.
  virtual bool patch_code(std::uint32_t address, std::span<const std::uint8_t> bytes) = 0;
  virtual bool is_code(std::uint32_t address) const = 0;

 protected:
  ~ApplicationMemory() = default;
};

// Stops, steps and resumes the application. Called from the Secure thread; while it steps, the engine also calls
// wake, mask_interrupts and what is about breakpoints and watchpoints, and of ApplicationMemory read, patch_code and
// is_code, from within DebugEvents::on_event.
class DebugUnit {
 public:
  struct Capabilities {
    std::uint32_t breakpoints;  // how many may be inserted at once
    bool patches = true;        // code can be changed where it runs, so that there are more: BKPT
    bool hardware_step;
    std::uint32_t watchpoints = 0;   // likewise
    std::uint32_t watch_length = 0;  // bytes of the longest
    Watching watching = Watching::kNot;
  };

  virtual Capabilities capabilities() const = 0;

  // Makes the application stop as soon as may be, whatever it does; Event::kHaltRequest follows. Harmless if halted.
  virtual void halt() = 0;

  // The next start of the application halts it before its first instruction: Event::kHaltRequest follows. For a reset.
  virtual void halt_at_start() = 0;

  // Lets the halted application run with `context` written back. Nothing may be touched after it until the next event.
  virtual void resume(const Context& context) = 0;

  // From within DebugEvents::on_event, of a fault or breakpoint: the application goes on in its own HardFault handler.
  // `context` then is that of the handler's first instruction. False, and nothing has changed, if it has no such
  // handler, is in it already, or its stack has no room.
  virtual bool enter_fault_handler(Context& context) = 0;

  // Has the Secure thread go round once more, soon: there is something for it.
  virtual void wake() = 0;

  // What the application executes next, when it goes on, is one instruction: Event::kStep follows, unless another event
  // comes first. Only with `hardware_step`, and with interrupts masked.
  virtual void step_next() = 0;

  // While set, no Non-secure interrupt is taken (BASEPRI_S); for stepping.
  virtual void mask_interrupts(bool masked) = 0;

  // While set, the application's interrupts wait while the Secure thread has its turn, for a slice of it at most.
  // Without, a handler may run on top of the thread: then there is a Secure frame below it, which no debugger can
  // unwind.
  virtual void keep_handlers_apart(bool apart) = 0;

  // Breakpoints of the hardware; boards without return false and the engine patches BKPT.
  virtual bool insert_breakpoint(std::uint32_t address) = 0;
  virtual bool remove_breakpoint(std::uint32_t address) = 0;

  // Guards the application's RAM from when it runs next. The engine takes the guard away at each event and for single
  // steps, so that nobody but the application ever meets it. False if the hardware has no room for it.
  virtual bool insert_watchpoint(const Watchpoint& watchpoint) = 0;
  virtual void remove_watchpoints() = 0;  // all

  // Whether an access to [address, address + size) meets a guard that was inserted last; kAttribution only.
  virtual bool guards(std::uint32_t address, std::uint32_t size) const = 0;

  // The one that the last Event::kWatchpoint was for; kComparators only.
  virtual Watchpoint watchpoint_hit() const = 0;

 protected:
  ~DebugUnit() = default;
};

// What the engine offers to the board: called in the agent's exception (PendSV_S on mps2-an505), the application being
// stopped and `context` read. Short: no TLS, no flash.
class DebugEvents {
 public:
  enum class Verdict : std::uint8_t {
    kResume,  // write `context` back and go on (a step within a range, a false hit)
    kHalt,    // keep the application halted and wake the Secure thread
    kCrash,   // nobody debugs: treat the fault as a crash of the application
  };

  virtual Verdict on_event(Event event, Context& context, const FaultRegisters& fault) = 0;

 protected:
  ~DebugEvents() = default;
};

}  // namespace mv::debug
