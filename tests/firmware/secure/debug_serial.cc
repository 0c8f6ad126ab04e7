// A microvisor whose debug agent is asked over the modem's serial port, without link and TLS: what is tested is the
// engine on a core with TrustZone.
#include <algorithm>
#include <array>

#include "arch/cortex-m33/guest.h"
#include "arch/cortex-m33/scheduler.h"
#include "boards/board.h"
#include "core/app/system_calls.h"
#include "core/debug/agent.h"

namespace {

using namespace mv;

class Crashes final : public arch::CrashListener {
 public:
  void on_crash(debug::Event, const debug::Context&, const debug::FaultRegisters&) override { crashed = true; }
  void on_reflected(debug::Event, const debug::Context&, const debug::FaultRegisters&) override {}
  volatile bool crashed = false;
};

class TestSupervisor final : public debug::Supervisor {
 public:
  bool running_bundle(debug::RunningBundle& out) override {
    out = {};
    return board::world().running();
  }
  bool waits_for_restart() const override { return false; }
  bool restart_for_debugger() override { return board::world().start(); }
};

std::array<debug::Region, 3> regions() {
  const arch::ApplicationRegions& own = board::application_memory().regions();
  return {debug::Region{own.code, own.code_size, debug::Region::Kind::kFlash},
          debug::Region{own.ram, own.ram_size, debug::Region::Kind::kRam},
          debug::Region{own.peripherals, own.peripherals_size, debug::Region::Kind::kPeripheral}};
}

const std::array kRegions = regions();  // the board's memory is constant-initialised
Crashes crashes;
TestSupervisor supervisor;
debug::Engine engine(board::world(), board::application_memory());
debug::Agent agent(engine, supervisor, debug::BoardInfo{board::image_target().board, kRegions}, board::clock());

// The system calls, as main.cc has them.
arch::SwitchLock switch_lock;
arch::CheckedMemory guest_memory(board::application_memory().regions());
arch::NvicGuest guest_board(board::guest_traits());
app::DeviceClock device_clock(board::clock(), switch_lock);
app::LogBuffer log_buffer(device_clock, switch_lock);
link::WifiStore wifi(board::flash(), switch_lock);
app::GuestCalls guest_calls({guest_memory, guest_board, board::external_flash(), wifi, board::clock(), switch_lock},
                            device_clock, log_buffer);

// Bytes between the serial port and the agent; true if any moved.
bool carry() {
  static std::array<std::uint8_t, 256> buffer;
  static std::span<const std::uint8_t> input;
  if (input.empty()) input = std::span(buffer).first(board::link_port().read(buffer));
  const std::size_t taken = agent.receive(input);
  input = input.subspan(taken);
  const std::size_t sent = board::link_port().write(agent.unsent());
  agent.sent(sent);
  return taken + sent != 0;
}

void report_crash() {
  if (!crashes.crashed) return;
  crashes.crashed = false;
  board::log("application: crashed");
}

[[noreturn]] void thread() {
  board::world().listen(&engine, &crashes);
  agent.connected();
  board::log(board::world().start() ? "application: started" : "application: not started");
  for (;;) {
    const bool carried = carry();
    const bool polled = agent.poll();
    report_crash();
    if (carried || polled) continue;
    const std::uint64_t latest = board::clock().uptime_us() + 1'000'000;
    arch::scheduler.wait_until(std::min(latest, agent.deadline_us().value_or(latest)));
  }
}

}  // namespace

int main() {
  board::set_up();
  arch::set_system_calls(guest_calls);
  board::log("debug test");
  board::run(thread);
}
