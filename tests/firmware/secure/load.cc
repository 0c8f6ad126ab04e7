// A microvisor without link and update whose Secure thread makes the scheduler's life hard: it burns the CPU for longer
// than a slice, blocks, halts and resumes the application, and starts it again after a crash. It reports on the
// console.
#include "arch/cortex-m33/board_hooks.h"
#include "arch/cortex-m33/guest.h"
#include "arch/cortex-m33/scheduler.h"
#include "boards/board.h"
#include "boards/common/console.h"

namespace {

using namespace mv;
namespace console = board::console;

constexpr std::uint64_t kRound = 5'000;       // us of CPU in a row
constexpr std::uint64_t kPause = 3'000;       // us blocked after it
constexpr std::uint32_t kHaltEach = 8;        // rounds
constexpr std::uint32_t kReportEach = 16;     // rounds
constexpr std::uint64_t kHaltLimit = 50'000;  // us that a halt may take

void say(const char* name, std::uint64_t value) {
  console::write(name);
  console::write(" ");
  console::write_decimal(value);
  console::write("\r\n");
}

// Takes note of events; halts on request, treats everything else as a crash.
class Events final : public debug::DebugEvents, public arch::CrashListener {
 public:
  Verdict on_event(debug::Event event, debug::Context& context, const debug::FaultRegisters&) override {
    if (event != debug::Event::kHaltRequest) return Verdict::kCrash;
    halted_context = context;
    halted = true;
    return Verdict::kHalt;
  }

  void on_crash(debug::Event event, const debug::Context& context, const debug::FaultRegisters& fault) override {
    say_fault("crash: ", event, context, fault);
  }

  void on_reflected(debug::Event event, const debug::Context& context, const debug::FaultRegisters& fault) override {
    say_fault("reflected: ", event, context, fault);
  }

  volatile bool halted = false;
  debug::Context halted_context;

 private:
  static void say_fault(const char* what, debug::Event event, const debug::Context& context,
                        const debug::FaultRegisters& fault) {
    console::write(what);
    console::write(event == debug::Event::kBreakpoint ? "breakpoint" : "fault");
    console::write(context.frame_valid ? " pc " : " no frame, sp ");
    console::write_hex(context.frame_valid ? context.pc() : context.core[13]);
    console::write(" cfsr ");
    console::write_hex(fault.cfsr);
    console::write(" sfsr ");
    console::write_hex(fault.sfsr);
    console::write(" ipsr ");
    console::write_decimal(context.core[16] & 0x1ff);
    console::write("\r\n");
  }
};

Events events;

// The system calls, as main.cc has them.
arch::SwitchLock switch_lock;
arch::CheckedMemory guest_memory(board::application_memory().regions());
arch::NvicGuest guest_board(board::guest_traits());
app::DeviceClock device_clock(board::clock(), switch_lock);
app::LogBuffer log_buffer(device_clock, switch_lock);
link::WifiStore wifi(board::flash(), switch_lock);
app::GuestCalls guest_calls({guest_memory, guest_board, board::external_flash(), wifi, board::clock(), switch_lock},
                            device_clock, log_buffer);

// Registers full of known values over many instructions: a switch that mixes them up shows.
bool burn(std::uint64_t until) {
  std::uint32_t a = 1, b = 2, c = 3, d = 4, e = 5;
  while (board::clock().uptime_us() < until) {
    for (std::uint32_t round = 0; round < 1000; ++round) {
      __asm volatile("adds %0, #1\n adds %1, #1\n adds %2, #1\n adds %3, #1\n adds %4, #1"
                     : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e));
    }
  }
  return b == a + 1 && c == a + 2 && d == a + 3 && e == a + 4;
}

void halt_and_resume() {
  events.halted = false;
  board::world().halt();
  const std::uint64_t limit = board::clock().uptime_us() + kHaltLimit;
  while (!events.halted && board::clock().uptime_us() < limit) arch::scheduler.wait_until(limit);
  if (!events.halted) return console::write_line("halt: did not happen");
  if (!burn(board::clock().uptime_us() + kRound)) console::write_line("thread: registers BAD while halted");
  board::world().resume(events.halted_context);
}

void round(std::uint32_t number) {
  if (!burn(board::clock().uptime_us() + kRound)) console::write_line("thread: registers BAD");
  const std::uint64_t pause_end = board::clock().uptime_us() + kPause;
  while (board::clock().uptime_us() < pause_end) arch::scheduler.wait_until(pause_end);
  if (board::world().running()) {
    if (number % kHaltEach == 0) halt_and_resume();
  } else if (number % kHaltEach == 0 && !board::world().start()) {
    console::write_line("application: does not start");
  }
  if (number % kReportEach == 0) say("thread: round", number);
  while (const auto record = log_buffer.next(0)) log_buffer.acknowledge(record->sequence);
}

[[noreturn]] void thread() {
  board::world().listen(&events, &events);
  board::world().reflect_faults(true);
  board::world().start();
  for (std::uint32_t number = 1;; ++number) round(number);
}

}  // namespace

int main() {
  board::set_up();
  arch::set_system_calls(guest_calls);
  board::log("load test");
  board::run(thread);
}
