#include "emulator/supervisor.h"

#include <future>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "emulator/test_folder.h"

namespace mv::emulator {
namespace {

using nlohmann::json;

// The supervisor on a thread of its own, as it is a process of its own in life; a script stands in for QEMU.
class SupervisorTest : public testing::Test {
 protected:
  void SetUp() override {
    std::promise<tl::expected<void, std::string>> started;
    auto result = started.get_future();
    thread_ = std::thread([this, &started] {
      boost::asio::io_context context;
      Supervisor supervisor(context,
                            {folder_,
                             test_.path(),
                             {},
                             find_emulated_board("mps2-an505"),
                             test_.script("qemu", "exec sleep 600"),
                             modem_},
                            [](const std::string&) {});
      started.set_value(supervisor.start());
      context.run_for(std::chrono::seconds(20));
    });
    const auto outcome = result.get();
    ASSERT_TRUE(outcome.has_value()) << outcome.error();
  }

  void TearDown() override {
    ask({{"do", "stop"}}, true);
    thread_.join();
  }

  tl::expected<json, std::string> ask(const json& request, bool until_gone = false) {
    return ask_supervisor(folder_.control_socket(), request, until_gone);
  }

  // Asks until the power is as wanted.
  json wait_for_power(bool wanted) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (true) {
      const auto status = ask({{"do", "status"}});
      if (!status) return {{"error", status.error()}};
      if ((*status)["power"] == wanted || std::chrono::steady_clock::now() > deadline) return *status;
    }
  }

  ModemKind modem_;
  TestFolder test_;
  DeviceFolder folder_{test_.path()};
  std::thread thread_;
};

class WifiSupervisorTest : public SupervisorTest {
 protected:
  WifiSupervisorTest() { modem_.wifi = WifiNetwork{"home", "correct horse"}; }
};

TEST_F(WifiSupervisorTest, ChangesTheNetworkInTheAir) {
  EXPECT_EQ((*ask({{"do", "status"}}))["wifi"], "up");
  for (const char* state : {"down", "silent", "refuses"}) {
    const auto changed = ask({{"do", "wifi"}, {"state", state}});
    ASSERT_TRUE(changed.has_value()) << changed.error();
    EXPECT_EQ((*changed)["wifi"], state);
    EXPECT_EQ((*changed)["carrier"], false);
  }
  EXPECT_EQ((*ask({{"do", "wifi"}, {"state", "up"}}))["carrier"], true);
  EXPECT_EQ((*ask({{"do", "wifi"}, {"state", "down"}, {"for_ms", 60000}}))["wifi"], "down");
  EXPECT_FALSE(ask({{"do", "wifi"}, {"state", "sideways"}}).has_value());
  EXPECT_FALSE(ask({{"do", "wifi"}}).has_value());
}

TEST_F(SupervisorTest, HasNoWifiWithACellularModem) {
  EXPECT_EQ((*ask({{"do", "status"}}))["wifi"], json());
  EXPECT_FALSE(ask({{"do", "wifi"}, {"state", "down"}}).has_value());
}

TEST_F(SupervisorTest, CutsThePowerAndGivesItBack) {
  EXPECT_EQ(wait_for_power(true)["power"], true);
  ASSERT_TRUE(ask({{"do", "kill"}}).has_value());
  const json off = wait_for_power(false);
  EXPECT_EQ(off["power"], false);
  EXPECT_EQ(off["last_exit"], "power was cut");
  ASSERT_TRUE(ask({{"do", "power-on"}}).has_value());
  EXPECT_EQ(wait_for_power(true)["power"], true);
  EXPECT_EQ(ask({{"do", "power-on"}}).error(), folder_.name() + " has power already");
}

TEST_F(SupervisorTest, LetsThePowerFailOnlyWhereFlashOperationsAreCounted) {
  ASSERT_TRUE(ask({{"do", "kill"}}).has_value());
  EXPECT_EQ(ask({{"do", "power-on"}, {"cut_at", 17}}).error(),
            "the power of an emulated mps2-an505 cannot fail at a flash operation: its QEMU does not count them");
  EXPECT_EQ(ask({{"do", "power-on"}, {"cut_at", 0}}).error(), "cut_at must be the number of an operation, from 1 on");
  EXPECT_EQ(wait_for_power(false)["flash_operations"], json());
}

TEST_F(SupervisorTest, ChangesTheLine) {
  const auto shaped = ask({{"do", "shape"}, {"delay_ms", 150}, {"rate", 20000}});
  ASSERT_TRUE(shaped.has_value());
  EXPECT_EQ((*shaped)["delay_ms"], 150);
  EXPECT_EQ((*shaped)["rate"], 20000);
  EXPECT_EQ((*ask({{"do", "carrier"}, {"for_ms", 60000}}))["carrier"], false);
  EXPECT_EQ((*ask({{"do", "carrier"}, {"there", true}}))["carrier"], true);
}

TEST_F(SupervisorTest, RefusesWhatItDoesNotUnderstand) {
  EXPECT_EQ(ask({{"do", "dance"}}).error(), "the supervisor does not know the request \"dance\"");
  EXPECT_EQ(ask({{"do", 7}}).error(), "the supervisor does not know the request \"\"");
  EXPECT_FALSE(ask({{"do", "carrier"}, {"for_ms", -1}}).has_value());
  EXPECT_FALSE(ask(json::array({1})).has_value());
}

TEST(AskSupervisor, SaysThatTheDeviceDoesNotRun) {
  const TestFolder test;
  const DeviceFolder folder{test.path()};
  EXPECT_EQ(ask_supervisor(folder.control_socket(), {{"do", "status"}}).error(),
            "the emulated device " + folder.name() + " is not running");
}

}  // namespace
}  // namespace mv::emulator
