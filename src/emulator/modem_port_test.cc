// The modem on real sockets: a UART on a unix socket, a cloud on a TCP port of this machine.
#include "emulator/modem_port.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

#include <gtest/gtest.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

namespace mv::emulator {
namespace {

using boost::asio::ip::tcp;
using std::chrono::milliseconds;

// A port with a modem that has just got power.
class AnyModemPortTest : public testing::Test {
 protected:
  explicit AnyModemPortTest(const ModemKind& kind) : port_(context_, kind) {
    const std::string path =
        std::filesystem::temp_directory_path() / ("mv-modem-test-" + std::to_string(::getpid()) + ".sock");
    EXPECT_TRUE(port_.listen(path).has_value());
    uart_.connect(boost::asio::local::stream_protocol::endpoint(path));
  }

  // Runs the modem until `done`; fails after five seconds.
  void run_until(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!done() && std::chrono::steady_clock::now() < deadline) {
      context_.run_for(milliseconds(5));
      context_.restart();
    }
    ASSERT_TRUE(done()) << "the UART said: " << heard_;
  }

  void wait_for(const std::string& text) {
    run_until([&] {
      poll(uart_, heard_);
      return heard_.find(text) != std::string::npos;
    });
    heard_.erase(0, std::min(heard_.size(), heard_.find(text) + text.size()));
  }

  template <typename Socket>
  static void poll(Socket& socket, std::string& out) {
    std::array<char, 4096> buffer;
    boost::system::error_code error;
    socket.non_blocking(true);
    const std::size_t length = socket.read_some(boost::asio::buffer(buffer), error);
    out.append(buffer.data(), length);
  }

  void say(const std::string& text, const std::string& answer) {
    boost::asio::write(uart_, boost::asio::buffer(text));
    wait_for(answer);
  }

  std::string cloud_port() const { return std::to_string(cloud_.local_endpoint().port()); }

  void cloud_hears(const std::string& text) {
    std::string heard;
    run_until([&] {
      poll(peer_, heard);
      return heard.size() >= text.size();
    });
    EXPECT_EQ(heard, text);
  }

  // The cloud knows nothing of the device's loss.
  bool cloud_waits() {
    boost::system::error_code error;
    char byte = 0;
    peer_.non_blocking(true);
    peer_.read_some(boost::asio::buffer(&byte, 1), error);
    return error == boost::asio::error::would_block;
  }

  boost::asio::io_context context_;
  ModemPort port_;
  boost::asio::io_context test_context_;
  boost::asio::local::stream_protocol::socket uart_{test_context_};
  tcp::acceptor cloud_{test_context_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)};
  tcp::socket peer_{test_context_};
  std::string heard_;
};

class ModemPortTest : public AnyModemPortTest {
 protected:
  ModemPortTest() : AnyModemPortTest({}) {
    wait_for("RDY\r\n");
    say("ATE0\r", "OK\r\n");
    say("AT+QIACT=1\r", "OK\r\n");
  }

  void open() {
    say("AT+QIOPEN=1,0,\"TCP\",\"127.0.0.1\"," + cloud_port() + ",0,1\r", "+QIOPEN: 0,0\r\n");
    peer_ = cloud_.accept();
  }
};

TEST_F(ModemPortTest, CarriesBytesBothWaysAndCountsThem) {
  open();
  say("AT+QISEND=0,5\r", "> ");
  say("hello", "SEND OK\r\n");
  cloud_hears("hello");
  boost::asio::write(peer_, boost::asio::buffer(std::string("welcome")));
  wait_for("+QIURC: \"recv\",0,7\r\nwelcome");
  EXPECT_EQ(port_.counters().bytes_up, 5U);
  EXPECT_EQ(port_.counters().bytes_down, 7U);
}

TEST_F(ModemPortTest, TellsTheDeviceOfTheEndAfterTheLastBytes) {
  open();
  boost::asio::write(peer_, boost::asio::buffer(std::string("bye")));
  peer_.close();
  wait_for("+QIURC: \"recv\",0,3\r\nbye\r\n+QIURC: \"closed\",0\r\n");
}

TEST_F(ModemPortTest, ReportsARefusedConnection) {
  const std::string port = std::to_string(cloud_.local_endpoint().port());
  cloud_.close();
  say("AT+QIOPEN=1,0,\"TCP\",\"127.0.0.1\"," + port + ",0,1\r", "+QIOPEN: 0,566\r\n");
}

TEST_F(ModemPortTest, DelaysEachDirection) {
  port_.set_shape({milliseconds(100), 0});
  const auto start = std::chrono::steady_clock::now();
  open();
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(200));
  const auto sent = std::chrono::steady_clock::now();
  boost::asio::write(peer_, boost::asio::buffer(std::string("x")));
  wait_for("\"recv\",0,1\r\nx");
  EXPECT_GE(std::chrono::steady_clock::now() - sent, milliseconds(100));
}

TEST_F(ModemPortTest, CountsWhatCameOutOfTheLineOnly) {
  port_.set_shape({milliseconds(0), 20'000});
  open();
  const std::string piece(1000, 'x');
  boost::asio::write(peer_, boost::asio::buffer(piece + piece + piece));
  run_until([&] { return port_.counters().bytes_down > 0; });
  EXPECT_LT(port_.counters().bytes_down, 3000U);
  run_until([&] { return port_.counters().bytes_down == 3000; });
}

TEST_F(ModemPortTest, LosesTheCarrierWithoutTellingTheCloudAndFindsItAgain) {
  open();
  port_.lose_carrier(milliseconds(50));
  wait_for("+QIURC: \"pdpdeact\",1\r\n");
  EXPECT_TRUE(cloud_waits());
  run_until([&] { return port_.carrier(); });
  say("AT+QIACT=1\r", "OK\r\n");
  open();
}

class EspModemPortTest : public AnyModemPortTest {
 protected:
  EspModemPortTest() : AnyModemPortTest({WifiNetwork{"home", "correct horse"}}) {
    wait_for("ready\r\n");
    say("ATE0\r\n", "OK\r\n");
    say("AT+CWMODE=1\r\n", "OK\r\n");
    say("AT+SYSMSG=4\r\n", "OK\r\n");
    say("AT+CIPRECONNINTV=36000\r\n", "OK\r\n");
  }

  void open() {
    say("AT+CWJAP=\"home\",\"correct horse\",,,0\r\n", "WIFI GOT IP\r\n\r\nOK\r\n");
    say("AT+CIPSTART=\"TCP\",\"127.0.0.1\"," + cloud_port() + "\r\n", "CONNECT\r\n\r\nOK\r\n");
    peer_ = cloud_.accept();
    say("AT+CIPMODE=1\r\n", "OK\r\n");
    say("AT+CIPSEND\r\n", ">");
  }

  // The silence that an escape needs before and after.
  void keep_silent() { context_.run_for(milliseconds(60)); }
};

TEST_F(EspModemPortTest, PassesThroughUntilItIsEscapedFrom) {
  open();
  boost::asio::write(uart_, boost::asio::buffer(std::string("hello+++")));
  cloud_hears("hello+++");
  boost::asio::write(peer_, boost::asio::buffer(std::string("welcome")));
  wait_for("welcome");
  keep_silent();
  boost::asio::write(uart_, boost::asio::buffer(std::string("+++")));
  keep_silent();
  say("AT+CIPCLOSE\r\n", "CLOSED\r\n\r\nOK\r\n");
}

TEST_F(EspModemPortTest, LosesNothingWhenTheLineIsSlow) {
  port_.set_shape({milliseconds(0), 400'000});
  open();
  const std::string much(200'000, 'x');
  std::size_t written = 0;
  std::string heard;
  uart_.non_blocking(true);
  run_until([&] {
    boost::system::error_code full;
    written += uart_.write_some(boost::asio::buffer(much.data() + written, much.size() - written), full);
    poll(peer_, heard);
    return heard.size() == much.size();
  });
  EXPECT_EQ(heard, much);
}

TEST_F(EspModemPortTest, LosesTheNetworkWithoutTellingTheCloudAndFindsItAgain) {
  open();
  port_.set_wifi(WifiState::kDown, milliseconds(50));
  wait_for("WIFI DISCONNECT\r\n");
  EXPECT_TRUE(cloud_waits());
  run_until([&] { return port_.carrier(); });
  keep_silent();
  boost::asio::write(uart_, boost::asio::buffer(std::string("+++")));
  keep_silent();
  open();
}

}  // namespace
}  // namespace mv::emulator
