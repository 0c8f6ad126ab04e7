// A run over the serial port of an ST-LINK: the program on the board is played here.
#include "usb/selftest_run.h"

#include <array>
#include <cstdio>
#include <optional>

#include <gtest/gtest.h>

#include "usb/acm_line.h"
#include "usb/fake_bus.h"
#include "usb/serial_model.h"

namespace mv::usb {
namespace {

std::string line(const std::string& content) {
  std::array<char, 8> check{};
  std::snprintf(check.data(), check.size(), "%04x", crc16(content));
  return content + "\t*" + check.data() + "\r\n";
}

const std::string kStart = line("start\t1\t0.1.0\tstm32u585\t0x30010482\t0x1-0x2-0x3\tchip\t1");
const std::string kItem = line("item\t3\tB14.2 DWT\tit counts");
const std::string kEnd = line("pass\t3\t\t\t") + line("end\t1\t0\t0");

class SelftestRunTest : public testing::Test {
 protected:
  SelftestRunTest() {
    bus_.add(model_);
    const Board board = find_boards(*bus_.devices()).at(0);
    line_ = *open_acm(context_, *bus_.open(board.usb), board.serial.at(0), kDefaultBaud);
  }

  void start(const std::string& glob = {},
             SelftestTimes times = {milliseconds(10'000), milliseconds(30), milliseconds(10'000)}) {
    run_.emplace(
        context_, std::move(line_), glob,
        SelftestReport::Events{[](const SelftestStart&) {}, [this](const SelftestItem&) { ++begun_; },
                               [this](const SelftestItem& item) { ended_.push_back(item); }},
        [this](const Expected<SelftestCounts>& outcome) { outcome_ = outcome; }, times);
    run_->start();
  }

  void run_until(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done() && std::chrono::steady_clock::now() < deadline) {
      context_.run_for(milliseconds(5));
      context_.restart();
    }
    ASSERT_TRUE(done());
  }

  // What has been ordered so far.
  std::string orders() {
    bus_.change([&] {
      const auto taken = model_.take_from_host();
      orders_.append(taken.begin(), taken.end());
    });
    return orders_;
  }

  void say(const std::string& text) {
    bus_.change([&] { model_.from_board({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}); });
  }

  Error error() {
    run_until([&] { return outcome_.has_value(); });
    EXPECT_FALSE(outcome_->has_value());
    return outcome_->has_value() ? Error{} : outcome_->error();
  }

  boost::asio::io_context context_;
  SerialModel model_{"0035"};
  FakeBus bus_;
  std::unique_ptr<SerialLine> line_;
  std::optional<SelftestRun> run_;
  int begun_ = 0;
  std::vector<SelftestItem> ended_;
  std::optional<Expected<SelftestCounts>> outcome_;
  std::string orders_;
};

TEST_F(SelftestRunTest, TheOrderNamesWhatIsWanted) {
  start("RM0456 *");
  run_until([&] { return orders().starts_with("\nrun RM0456 *\n"); });

  say(kStart + kItem + kEnd);

  run_until([&] { return outcome_.has_value(); });
  EXPECT_EQ(outcome_->value(), (SelftestCounts{1, 0, 0}));
  EXPECT_EQ(ended_.size(), 1U);
}

TEST_F(SelftestRunTest, ABoardThatStartsUpIsToldAgainAndOnceItRunsNoMore) {
  start();
  run_until([&] { return orders().starts_with("\nrun\n\nrun\n\nrun\n"); });

  say(kStart + kItem);
  run_until([&] { return begun_ == 1; });
  const std::string so_far = orders();
  context_.run_for(milliseconds(100));  // three times as long as between orders
  context_.restart();
  say(kEnd);
  run_until([&] { return outcome_.has_value(); });
  EXPECT_TRUE(outcome_->has_value());
  EXPECT_EQ(orders(), so_far);
}

TEST_F(SelftestRunTest, NobodyAtTheOtherEndIsToldInTime) {
  start({}, {milliseconds(100), milliseconds(30), milliseconds(10'000)});

  EXPECT_EQ(error().problem, Problem::kTimeout);
  EXPECT_EQ(error().text, "nothing answers within 0 s");
}

TEST_F(SelftestRunTest, SomebodyElseAtTheOtherEndIsToldApart) {
  start({}, {milliseconds(300), milliseconds(30), milliseconds(10'000)});
  say("boot: microvisor 0.1.0\r\n");

  EXPECT_EQ(error().text, "something speaks on the line, but no run began within 0 s");
}

TEST_F(SelftestRunTest, ABoardThatFallsSilentIsToldWithTheItem) {
  start({}, {milliseconds(10'000), milliseconds(30), milliseconds(100)});
  say(kStart + kItem);

  EXPECT_EQ(error().problem, Problem::kTimeout);
  EXPECT_EQ(error().text, "the board fell silent for 0 s in item 3 (B14.2 DWT: it counts)");
}

TEST_F(SelftestRunTest, AnUnpluggedBoardIsToldWithTheItem) {
  start();
  say(kStart + kItem);
  run_until([&] { return begun_ == 1; });

  bus_.change([&] { model_.unplug(); });

  EXPECT_EQ(error().problem, Problem::kGone);
  EXPECT_EQ(error().text, "the board was unplugged in item 3 (B14.2 DWT: it counts)");
}

TEST_F(SelftestRunTest, ADamagedLineEndsTheRun) {
  start();
  std::string text = kStart + kItem + kEnd;
  text[text.find("counts")] = 'C';
  say(text);

  EXPECT_EQ(error().problem, Problem::kBadReply);
}

TEST(SelftestGlob, IsBounded) {
  EXPECT_TRUE(is_selftest_glob(std::string(63, '*')));
  EXPECT_FALSE(is_selftest_glob(std::string(64, '*')));
  EXPECT_FALSE(is_selftest_glob("a\nrun"));
}

}  // namespace
}  // namespace mv::usb
