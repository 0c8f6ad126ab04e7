// Whatever a device says, the target keeps to what it promises a debug session: every handler is called at most once,
// no read brings more than was asked for, and nothing is asked for ever.
//
// The input is a list of records: what happens next, and the device's message. When it ends, the device goes on to say
// its last message, and what is open must come to an end.
#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "gdbserver/target/agent_client.h"
#include "gdbserver/target/agent_target.h"
#include "gdbserver/target/manual_time.h"

namespace {

using namespace mv::gdb;

constexpr std::uint32_t kFlash = 0x0010'0000;
constexpr std::uint32_t kRam = 0x2820'0000;
constexpr int kLastWords = 500;  // of the device, far more than any request takes

void require(bool holds) {
  if (!holds) std::abort();
}

// Remembers what the client asked last, and gives it what the input says.
class FuzzLink final : public AgentLink {
 public:
  explicit FuzzLink(ManualTime& time) : time_(time) {}

  void open(Events events) override {
    events_ = std::move(events);
    open_ = true;
    const int number = ++number_;
    time_.post([this, number] {
      if (open_ && number == number_) events_.on_open();
    });
  }

  void send(std::span<const std::uint8_t> bytes) override {
    require(bytes.size() >= 2);
    mv::wire::AgentRequest request;
    require(request.ParseFromArray(bytes.data() + 2, static_cast<int>(bytes.size() - 2)));
    sequence_ = request.sequence();
    ++asked_;
  }

  void close() override { open_ = false; }

  // A reply that names a sequence is made to answer what was asked last.
  void say(std::span<const std::uint8_t> message) {
    mv::wire::AgentReply reply;
    if (!reply.ParseFromArray(message.data(), static_cast<int>(message.size()))) return say_raw(message);
    if (reply.sequence() != 0) reply.set_sequence(sequence_);
    say_raw(frame_message(reply.SerializeAsString()));
  }

  void say_raw(std::span<const std::uint8_t> bytes) {
    if (open_) events_.on_data(bytes);
  }

  int asked() const { return asked_; }

  void cut(bool retry) {
    if (!open_) return;
    open_ = false;
    const auto lost = events_.on_lost;
    lost({{ErrorCode::kOffline, "cut"}, retry});
  }

 private:
  ManualTime& time_;
  Events events_;
  bool open_ = false;
  int number_ = 0;
  std::uint32_t sequence_ = 0;
  int asked_ = 0;
};

ElfImage image() {
  ElfImage elf;
  elf.read_only.push_back({kFlash, std::vector<std::uint8_t>(256, 7), {{16, 32}}});
  return elf;
}

// A debug session that does what it is told to, within the rules of target.h.
class Session {
 public:
  void act(std::uint8_t what, std::uint8_t detail) {
    const std::uint32_t base = detail % 3 == 0 ? kFlash : detail % 3 == 1 ? kRam : 0x4000'0000;
    const std::uint32_t address = base + detail / 3 * 8U;
    const std::uint32_t length = 1 + detail * 3U;
    if (what == 1) return target_.interrupt();
    if (what == 2) return peek(address, length);
    if (what == 3 && resuming()) return detach();
    if (open_ != 0) return;
    switch (what) {
      case 3:
        return detach();
      case 4:
        return target_.attach(once<Stop>());
      case 5:
        return read(address, length);
      case 6:
        return target_.write(address, Bytes(length, detail), once<void>());
      case 7:
        return resume(detail);
      case 8:
        return target_.reset(once<Stop>());
      case 9:
        return target_.gather({{kRam + detail, length}, {kFlash + detail, 16}}, once<std::vector<Bytes>>());
      case 10: {
        auto registers = target_.last_stop().registers;
        registers.core[detail % registers.core.size()] ^= detail;
        return target_.write_registers(registers, once<void>());
      }
      case 11:
        (void)target_.insert_watchpoint({address, 1U + detail % 8, WatchKind::kWrite});
        (void)target_.insert_breakpoint(kFlash + detail * 2U, {});
        return target_.expect({{address, length}});
      default:
        require(!target_.status().empty() && !target_.watch_help().empty());
    }
  }

  void say(std::uint8_t what, std::uint8_t detail, std::span<const std::uint8_t> message) {
    if (what == 12) return link_.say_raw(message);
    if (what == 13) return link_.cut(detail % 2 == 0);
    link_.say(message);
    time_.pass(std::chrono::milliseconds(what == 14 ? detail * 100 : 0));
  }

  void begin() {
    target_.on_console([](const std::string&) {});
    target_.probe(image(), once<DeviceFacts>());
    time_.pass(std::chrono::milliseconds(0));
  }

  // The device repeats itself as long as that makes us ask again; then the link is lost for good.
  void end(std::span<const std::uint8_t> last_message) {
    int words = 0;
    for (int asked = -1; open_ != 0 && asked != link_.asked(); ++words) {
      require(words < kLastWords);
      asked = link_.asked();
      say(0, 0, last_message);
    }
    for (int i = 0; i < 100 && open_ + peeks_ != 0; ++i) {
      link_.cut(false);
      time_.pass(std::chrono::milliseconds(500));
    }
    require(open_ == 0 && peeks_ == 0);
  }

 private:
  template <class T>
  Handler<T> once() {
    ++open_;
    return [this, called = std::make_shared<bool>(false)](Result<T> result) {
      require(!std::exchange(*called, true));
      require(result.has_value() || !result.error().text.empty());
      --open_;
    };
  }

  void read(std::uint32_t address, std::uint32_t length) {
    target_.read(address, length, [length, done = once<Bytes>()](Result<Bytes> bytes) {
      require(!bytes || bytes->size() <= length);
      done(std::move(bytes));
    });
  }

  void peek(std::uint32_t address, std::uint32_t length) {
    ++peeks_;
    target_.peek(address, length, [this, length](Result<Bytes> bytes) {
      require(!bytes || bytes->size() <= length);
      --peeks_;
    });
  }

  void resume(std::uint8_t detail) {
    ResumePlan plan;
    plan.mode = static_cast<ResumePlan::Mode>(detail % 3);
    plan.start = kFlash + detail;
    plan.end = plan.start + 8;
    resume_ = std::make_shared<bool>(true);
    target_.resume(plan, [wanted = resume_, done = once<Stop>()](Result<Stop> stop) {
      require(std::exchange(*wanted, false));
      done(std::move(stop));
    });
  }

  bool resuming() const { return resume_ && *resume_; }

  // The handler of a resume that it interrupts is not called any more.
  void detach() {
    if (resuming()) {
      *resume_ = false;
      --open_;
    }
    target_.detach(once<void>());
  }

  ManualTime time_;
  FuzzLink link_{time_};
  AgentClient client_{link_, time_, [] { return SessionId{1}; }, {}};
  AgentTarget target_{client_};
  int open_ = 0;
  int peeks_ = 0;
  std::shared_ptr<bool> resume_;  // true: its handler is still to be called
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto silent = google::protobuf::SetLogHandler(nullptr);
  static_cast<void>(silent);
  std::span<const std::uint8_t> left(data, size);
  std::span<const std::uint8_t> message;
  Session session;
  session.begin();
  while (left.size() >= 4) {
    const std::uint8_t what = left[0] % 16;
    const std::uint8_t detail = left[1];
    const std::size_t length = std::min<std::size_t>(left[2] % 4 * 256U + left[3], left.size() - 4);
    message = left.subspan(4, length);
    left = left.subspan(4 + length);
    session.act(what, detail);
    session.say(what, detail, message);
  }
  session.end(message);
  return 0;
}
