// Arbitrary bytes from a debugger: the agent answers or ignores them, and the device goes on.
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/debug/agent.h"
#include "core/debug/fake_device.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mv::debug;
  if (!test::set_up_crypto()) return 0;
  test::FakeMemory memory;
  test::FakeBoard board(memory);
  Engine engine(board, memory);
  test::FakeSupervisor supervisor(board, memory);
  test::FakeClock clock;
  Agent agent(engine, supervisor, BoardInfo{"fake", test::kRegions}, clock);
  board.set_events(engine);
  supervisor.start();
  agent.connected();
  std::span<const std::uint8_t> left(data, size);
  while (!left.empty()) {
    left = left.subspan(agent.receive(left));
    agent.sent(agent.unsent().size());
    agent.poll();
    board.run(100);
    clock.now_us += 1000;
  }
  return 0;
}
