// Fuzz target: whatever comes from a board's serial line while it is called, the call gets one answer, or none yet; a
// greeting that is taken is well formed, and neither the modem nor the line falls.
//
// The input is what the board says, in pieces: a byte of length, then so many bytes. Between two pieces everything that
// is due happens.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "cli/debug_line.h"

namespace {

using mv::cli::DebugLine;

class Line final : public mv::usb::SerialLine {
 public:
  explicit Line(Events& events) : events_(events) {}
  void start(Events events) override { events_ = std::move(events); }
  void send(std::string_view) override {}
  std::size_t unsent() const override { return 0; }

 private:
  Events& events_;
};

void check(const mv::cli::Greeting& greeting) {
  if (greeting.device_id.size() != 34 || !greeting.refusal.empty()) std::abort();
  if (greeting.key_id.size() != 16 || greeting.build_id.size() > 32) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  boost::asio::io_context context;
  mv::usb::SerialLine::Events board;
  std::unique_ptr<mv::transport::BytePipe> pipe;
  int answers = 0;
  DebugLine line(context, std::make_unique<Line>(board), [](const mv::usb::Error&) {});
  line.call([&](tl::expected<DebugLine::Call, mv::gdb::AgentLink::Lost> call) {
    ++answers;
    if (!call) return call.error().error.text.empty() ? std::abort() : void();
    check(call->greeting);
    pipe = std::move(call->pipe);
    pipe->start([&](std::span<const std::uint8_t> bytes) { pipe->send(bytes); }, [](const mv::transport::PipeEnd&) {});
  });
  std::span<const std::uint8_t> left(data, size);
  while (!left.empty()) {
    const std::size_t length = std::min<std::size_t>(left.front(), left.size() - 1);
    board.received(left.subspan(1, length));
    left = left.subspan(1 + length);
    context.restart();
    context.poll();
  }
  if (answers > 1) std::abort();
  return 0;
}
