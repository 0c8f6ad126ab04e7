// Both kinds of serial line: a USB port on the model of an ST-LINK, and a terminal device on a pseudo-terminal.
#include "usb/serial_line.h"

#include <pty.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <functional>

#include <gtest/gtest.h>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>

#include "usb/acm_line.h"
#include "usb/fake_bus.h"
#include "usb/serial_model.h"
#include "usb/tty_line.h"

namespace mv::usb {
namespace {

class LineTest : public testing::Test {
 protected:
  void start(Expected<std::unique_ptr<SerialLine>> line) {
    ASSERT_TRUE(line.has_value()) << line.error().text;
    line_ = *std::move(line);
    line_->start({[this](std::span<const std::uint8_t> bytes) { heard_.append(bytes.begin(), bytes.end()); }, [] {},
                  [this](const Error& error) {
                    lost_.push_back(error);
                    line_.reset();
                  }});
  }

  void run_until(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done() && std::chrono::steady_clock::now() < deadline) {
      context_.run_for(milliseconds(5));
      context_.restart();
    }
    ASSERT_TRUE(done());
  }

  boost::asio::io_context context_;
  std::unique_ptr<SerialLine> line_;
  std::string heard_;
  std::vector<Error> lost_;
};

class AcmLineTest : public LineTest {
 protected:
  AcmLineTest() { bus_.add(model_); }
  ~AcmLineTest() override { line_.reset(); }  // its threads use the bus

  Expected<std::unique_ptr<SerialLine>> open(std::uint32_t baud = kDefaultBaud) {
    const Board board = find_boards(*bus_.devices()).at(0);
    return open_acm(context_, *bus_.open(board.usb), board.serial.at(0), baud);
  }

  std::string taken() {
    std::string bytes;
    bus_.change([&] {
      const auto taken = model_.take_from_host();
      bytes.assign(taken.begin(), taken.end());
    });
    return bytes;
  }

  SerialModel model_{"0035"};
  FakeBus bus_;
};

TEST_F(AcmLineTest, TheRateIsSetAndTheLinesAreRaised) {
  start(open(1'000'000));

  EXPECT_EQ(model_.baud, 1'000'000U);
  EXPECT_EQ(model_.control_lines, 3);
}

TEST_F(AcmLineTest, BytesGoBothWays) {
  start(open());
  bus_.change([&] { model_.from_board(std::array<std::uint8_t, 3>{'A', 'T', '\r'}); });
  run_until([&] { return heard_ == "AT\r"; });

  line_->send("\r\nOK\r\n");
  std::string answer;
  run_until([&] { return (answer += taken()) == "\r\nOK\r\n"; });
  run_until([&] { return line_->unsent() == 0; });
}

TEST_F(AcmLineTest, APortThatTakesLittleAtATimeGetsEverythingInOrder) {
  model_.room = 7;
  start(open());
  std::string text;
  for (int i = 0; i < 500; ++i) text += std::to_string(i) + ",";

  line_->send(text);

  std::string arrived;
  run_until([&] { return (arrived += taken()).size() >= text.size(); });
  EXPECT_EQ(arrived, text);
}

TEST_F(AcmLineTest, AStalledEndpointIsClearedAndTheBytesAreSentAgain) {
  model_.stall_next_out = true;
  start(open());

  line_->send("AT");

  std::string arrived;
  run_until([&] { return (arrived += taken()) == "AT"; });
  EXPECT_TRUE(lost_.empty());
}

TEST_F(AcmLineTest, AnUnpluggedBoardIsToldOnce) {
  start(open());

  bus_.change([&] { model_.unplug(); });

  run_until([&] { return !lost_.empty(); });
  context_.run_for(milliseconds(20));
  ASSERT_EQ(lost_.size(), 1U);
  EXPECT_EQ(lost_[0].problem, Problem::kGone);
}

TEST_F(AcmLineTest, ABoardThatIsGoneCannotBeOpened) {
  const Board board = find_boards(*bus_.devices()).at(0);
  auto device = *bus_.open(board.usb);
  bus_.change([&] { model_.unplug(); });

  EXPECT_EQ(open_acm(context_, std::move(device), board.serial.at(0), kDefaultBaud).error().problem, Problem::kGone);
}

class TtyLineTest : public LineTest {
 protected:
  TtyLineTest() {
    std::array<char, 128> name{};
    EXPECT_EQ(::openpty(&master_, &slave_, name.data(), nullptr, nullptr), 0);
    path_ = name.data();
  }
  ~TtyLineTest() override {
    if (master_ >= 0) ::close(master_);
    ::close(slave_);
  }

  int master_ = -1, slave_ = -1;
  std::string path_;
};

TEST_F(TtyLineTest, BytesGoThroughAsTheyAre) {
  start(open_tty(context_, path_, 115200));
  const std::string odd("\x00\x03\x04\r\n\x11\x13\xFF", 8);  // what a cooked terminal would swallow or change
  ASSERT_EQ(::write(master_, odd.data(), odd.size()), 8);
  run_until([&] { return heard_ == odd; });

  line_->send(odd);
  run_until([&] { return line_->unsent() == 0; });
  std::array<char, 16> buffer{};
  ASSERT_EQ(::read(master_, buffer.data(), buffer.size()), 8);
  EXPECT_EQ(std::string(buffer.data(), 8), odd);
}

TEST_F(TtyLineTest, AnUnpluggedTerminalIsToldOnce) {
  start(open_tty(context_, path_, 115200));

  ::close(std::exchange(master_, -1));

  run_until([&] { return !lost_.empty(); });
  ASSERT_EQ(lost_.size(), 1U);
  EXPECT_EQ(lost_[0].problem, Problem::kGone);
}

TEST_F(TtyLineTest, WhatCannotBeUsedIsSaid) {
  EXPECT_EQ(open_tty(context_, "/nonexistent/ttyACM9", 115200).error().problem, Problem::kNotFound);
  EXPECT_EQ(open_tty(context_, "/dev/null", 115200).error().problem, Problem::kOther);
  EXPECT_NE(open_tty(context_, "/dev/null", 115200).error().text.find("no terminal device"), std::string::npos);
  EXPECT_NE(open_tty(context_, path_, 12345).error().text.find("115200"), std::string::npos);
}

TEST_F(TtyLineTest, ATerminalIsOneProgramsAtATime) {
  start(open_tty(context_, path_, 115200));
  EXPECT_EQ(open_tty(context_, path_, 115200).error().problem, Problem::kBusy);
  line_.reset();
  EXPECT_TRUE(open_tty(context_, path_, 115200));
}

TEST_F(TtyLineTest, ASocketIsALineToo) {
  std::array<char, 32> folder{"/tmp/mv-line-XXXXXX"};
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string path = std::string(folder.data()) + "/uart";
  {
    boost::asio::local::stream_protocol::acceptor acceptor(context_, path);
    start(open_socket(context_, path));
    auto board = acceptor.accept();
    line_->send("run\n");
    run_until([&] { return board.available() == 4; });
    boost::asio::write(board, boost::asio::buffer("ready\r\n", 7));
    run_until([&] { return heard_ == "ready\r\n"; });
  }
  run_until([&] { return !lost_.empty(); });
  EXPECT_EQ(lost_[0].problem, Problem::kGone);
  EXPECT_EQ(open_socket(context_, path).error().problem, Problem::kNotFound);
  std::filesystem::remove_all(folder.data());
  EXPECT_EQ(open_socket(context_, path).error().problem, Problem::kNotFound);
  EXPECT_EQ(open_socket(context_, std::string(200, 'x')).error().problem, Problem::kOther);
}

}  // namespace
}  // namespace mv::usb
