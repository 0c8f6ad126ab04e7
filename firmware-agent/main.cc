// The microvisor: sets the board up and runs the Secure thread.
#include "arch/cortex-m33/board_hooks.h"
#include "arch/cortex-m33/scheduler.h"
#include "boards/board.h"

namespace {

using namespace mv;

class CrashLog final : public arch::CrashListener {
 public:
  void on_crash(debug::Event event, const debug::Context& context, const debug::FaultRegisters& fault) override {
    arch::board_panic_text(event == debug::Event::kBreakpoint ? "application: stopped at a breakpoint nobody set"
                                                              : "application: crashed");
    arch::board_panic_number("pc", context.pc());
    arch::board_panic_number("xpsr", context.core[16]);
    arch::board_panic_number("cfsr", fault.cfsr);
    arch::board_panic_number("sfsr", fault.sfsr);
  }
};

CrashLog crash_log;

[[noreturn]] void thread() {
  board::world().listen(nullptr, &crash_log);
  board::log(board::world().start() ? "application: started"
                                    : "application: none installed, or no vector table that points into it");
  for (;;) arch::scheduler.wait_until(board::clock().uptime_us() + 1'000'000);
}

}  // namespace

int main() {
  board::set_up();
  board::log("microvisor " MV_VERSION " on " MV_BOARD_NAME);
  if (!board::entropy_ready()) board::log("entropy: no seed and no identity in flash, so no TLS: provision the device");
  board::run(thread);
}
