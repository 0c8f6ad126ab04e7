#include "cli/debug_line.h"

#include <stdexcept>
#include <string>

#include <gtest/gtest.h>
#include <boost/asio/post.hpp>

namespace mv::cli {
namespace {

using namespace std::chrono_literals;

constexpr const char* kDevice = "UV0123456789abcdef0123456789abcdef";

TEST(Greeting, SaysWhoAnswersAndWhatRunsThere) {
  const auto greeting = parse_greeting(std::string("mv-debug/1 ") + kDevice + " open 0123456789abcdef 4fa007");
  ASSERT_TRUE(greeting);
  EXPECT_EQ(greeting->device_id, kDevice);
  EXPECT_EQ(greeting->key_id, "0123456789abcdef");
  EXPECT_EQ(greeting->build_id, (std::vector<std::uint8_t>{0x4F, 0xA0, 0x07}));
  EXPECT_TRUE(greeting->refusal.empty());
}

TEST(Greeting, MayKnowNoBuildOrRefuse) {
  const auto without_build = parse_greeting(std::string("mv-debug/1 ") + kDevice + " open 0123456789abcdef ");
  ASSERT_TRUE(without_build);
  EXPECT_TRUE(without_build->build_id.empty());
  const auto refused = parse_greeting(std::string("mv-debug/1 ") + kDevice + " refused nobody may: deploy first");
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->refusal, "nobody may: deploy first");
}

TEST(Greeting, IsNothingElse) {
  const std::string id = kDevice;
  for (const std::string& line :
       {std::string(), std::string("mv-debug/1"), "mv-debug/2 " + id + " open 0123456789abcdef ", "mv-debug/1 " + id,
        "mv-debug/1 " + id + " open 0123", "mv-debug/1 " + id + " open 0123456789abcdeg ",
        "mv-debug/1 " + id + " open 0123456789abcdef 4fa", "mv-debug/1 " + id + " open 0123456789abcdef 4fxx",
        "mv-debug/1 " + id + " open 0123456789abcdef " + std::string(66, 'a'), "mv-debug/1 " + id + " refused ",
        "mv-debug/1 " + id + " refused \x1b[2J", "mv-debug/1 " + id.substr(1) + "0 open 0123456789abcdef ",
        "mv-debug/1 " + id + " perhaps"}) {
    EXPECT_FALSE(parse_greeting(line)) << line;
  }
}

// The device's end of the line.
class FakeBoard final : public usb::SerialLine {
 public:
  struct Notes {
    std::string heard;
    Events events;
    std::function<std::string(std::string_view)> answer = [](std::string_view) { return ""; };
  };

  FakeBoard(boost::asio::io_context& context, Notes& notes) : context_(context), notes_(notes) {}
  void start(Events events) override { notes_.events = std::move(events); }
  void send(std::string_view bytes) override {
    notes_.heard += bytes;
    const std::string answer = notes_.answer(bytes);
    if (!answer.empty()) boost::asio::post(context_, [this, answer] { say(answer); });
  }
  std::size_t unsent() const override { return 0; }

 private:
  void say(const std::string& text) {
    notes_.events.received({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }

  boost::asio::io_context& context_;
  Notes& notes_;
};

class DebugLineTest : public testing::Test {
 protected:
  // One event; fails the test if none comes.
  void serve() {
    if (context_.stopped()) context_.restart();
    if (context_.run_one_for(10s) == 0) throw std::logic_error("nothing happens any more");
  }

  void call() {
    line_.call([this](auto result) { result_.emplace(std::move(result)); });
    while (!result_) serve();
  }

  // As the device's modem driver sends a text.
  static std::string sends(std::string_view text) {
    return "AT+QISEND=0," + std::to_string(text.size()) + "\r" + std::string(text);
  }

  gdb::Error refused() const { return result_->error().error; }

  boost::asio::io_context context_;
  FakeBoard::Notes board_;
  std::optional<usb::Error> lost_;
  DebugLine line_{context_, std::make_unique<FakeBoard>(context_, board_),
                  [this](const usb::Error& error) { lost_ = error; }, 50ms};
  std::optional<tl::expected<DebugLine::Call, gdb::AgentLink::Lost>> result_;
};

TEST_F(DebugLineTest, CallsAndCarriesBytesBothWays) {
  const std::string greeting = std::string("mv-debug/1 ") + kDevice + " open 0123456789abcdef 4fa0\n";
  board_.answer = [&](std::string_view said) {
    if (said.find("incoming") != std::string_view::npos) return sends(greeting);
    // It heard two rings: the greeting comes again, before what answers us.
    return said.find("recv\",0,5") != std::string_view::npos ? sends(greeting) + sends("world") : "";
  };
  call();
  ASSERT_TRUE(*result_) << refused().text;
  EXPECT_EQ((*result_)->greeting.device_id, kDevice);
  std::string received;
  (*result_)->pipe->start([&](std::span<const std::uint8_t> bytes) { received.append(bytes.begin(), bytes.end()); },
                          [](const transport::PipeEnd&) {});
  constexpr std::string_view kHello = "hello";
  (*result_)->pipe->send({reinterpret_cast<const std::uint8_t*>(kHello.data()), kHello.size()});
  while (received.size() < 5) serve();
  EXPECT_EQ(received, "world");

  bool done = false;
  (*result_)->pipe->close();
  line_.hang_up([&] { done = true; });
  while (!done) serve();
  EXPECT_TRUE(board_.heard.ends_with("+QIURC: \"closed\",0\r\n")) << board_.heard;
}

TEST_F(DebugLineTest, SaysWhatTheDeviceRefusesWith) {
  board_.answer = [&](std::string_view said) {
    return said.find("incoming") != std::string_view::npos
               ? sends(std::string("mv-debug/1 ") + kDevice + " refused no application is installed\n")
               : "";
  };
  call();
  ASSERT_FALSE(*result_);
  EXPECT_EQ(refused().code, gdb::ErrorCode::kRefused);
  EXPECT_EQ(refused().text, "no application is installed");
}

TEST_F(DebugLineTest, TellsSilenceAndADeviceThatTakesNoCallsAndAWifiModuleApart) {
  call();
  EXPECT_EQ(refused().text, "the device says nothing on its serial line");
  result_.reset();
  board_.answer = [](std::string_view said) { return said.find("incoming") != std::string_view::npos ? "AT\r" : ""; };
  call();
  EXPECT_EQ(refused().text, "the device speaks to its modem, but takes no calls");
  result_.reset();
  board_.answer = [](std::string_view said) {
    return said.find("incoming") != std::string_view::npos ? "AT+CWMODE=1\r\n" : "";
  };
  call();
  EXPECT_EQ(refused().code, gdb::ErrorCode::kUnsupported);
  EXPECT_NE(refused().text.find("ESP-AT"), std::string::npos);
}

TEST_F(DebugLineTest, ABabblerIsNoDevice) {
  board_.answer = [](std::string_view said) {
    return said.find("incoming") != std::string_view::npos ? sends(std::string(300, 'x')) : "";
  };
  call();
  EXPECT_EQ(refused().code, gdb::ErrorCode::kProtocol);
}

TEST_F(DebugLineTest, TellsThatTheBoardWasUnplugged) {
  board_.answer = [this](std::string_view said) {
    if (said.find("incoming") != std::string_view::npos) {
      boost::asio::post(context_, [this] {
        const auto lost = board_.events.lost;
        lost({usb::Problem::kGone, "the device is gone"});
      });
    }
    return "";
  };
  call();
  EXPECT_EQ(refused().code, gdb::ErrorCode::kOffline);
  ASSERT_TRUE(lost_);
  EXPECT_EQ(lost_->problem, usb::Problem::kGone);
  result_.reset();
  call();
  EXPECT_FALSE(result_->error().retry);
}

}  // namespace
}  // namespace mv::cli
