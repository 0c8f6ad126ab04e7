// For tests: a device's link with a TestModem and a TestCloud, on a clock that is moved by hand, and peers that note
// what they were told.
#pragma once

#include <algorithm>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "boards/host/fake_flash.h"
#include "boards/host/fakes.h"
#include "core/link/link_agent.h"
#include "core/link/quectel_modem.h"
#include "core/link/session_store.h"
#include "core/link/test_cloud.h"
#include "core/platform/flash_map.h"
#include "core/tls/tls_platform.h"

namespace mv::test {

inline constexpr std::uint64_t kSecond = 1'000'000;

inline std::span<const std::uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

class TestEntropy final : public Entropy {
 public:
  bool fill(std::span<std::uint8_t> out) override {
    for (auto& byte : out) byte = static_cast<std::uint8_t>(random_());
    return true;
  }

 private:
  std::mt19937 random_{1};
};

struct TestUpdate final : link::UpdateControl {
  void on_desired(const mv_wire_Desired& message) override { desired.push_back(message); }
  void report(mv_wire_AppReport& out) override {
    out = mv_wire_AppReport_init_zero;
    out.state = state;
    out.generation = desired.empty() ? 0 : desired.back().generation;
  }
  std::uint32_t report_version() const override { return version; }
  void on_key_change(std::span<const std::uint8_t> message) override {
    key_changes.emplace_back(message.begin(), message.end());
  }
  void report_keys(mv_wire_KeysReport& out) override { out.threshold = static_cast<std::uint32_t>(key_changes.size()); }

  std::vector<mv_wire_Desired> desired;
  std::vector<std::string> key_changes;
  mv_wire_AppState state = mv_wire_AppState_APP_NONE;
  std::uint32_t version = 1;
};

struct TestLogs final : link::LogSource {
  void add(std::string text) { records.push_back({next_sequence++, std::move(text)}); }
  std::optional<link::LogRecord> next(std::uint64_t after) override {
    for (const auto& [sequence, text] : records) {
      if (sequence > after && enabled) {
        return link::LogRecord{sequence, 0, 5, mv_wire_LogSource_LOG_APPLICATION, as_bytes(text)};
      }
    }
    return std::nullopt;
  }
  void acknowledge(std::uint64_t sequence) override {
    acknowledged.push_back(sequence);
    std::erase_if(records, [&](const auto& record) { return record.first <= sequence; });
  }
  std::uint64_t lost() const override { return 7; }
  void enable(bool on) override { enabled = on; }

  std::deque<std::pair<std::uint64_t, std::string>> records;
  std::uint64_t next_sequence = 1;
  std::vector<std::uint64_t> acknowledged;
  bool enabled = true;
};

struct TestCrashes final : link::CrashSource {
  bool oldest(mv_wire_CrashReport& out) override {
    if (numbers.empty()) return false;
    out = mv_wire_CrashReport_init_zero;
    out.number = numbers.front();
    return true;
  }
  void acknowledge(std::uint32_t number) override { std::erase(numbers, number); }

  std::vector<std::uint32_t> numbers;
};

struct TestDebug final : link::DebugPeer {
  bool opened(link::DebugStream& stream) override {
    if (!accepts) return false;
    pipe = &stream;
    return true;
  }
  void introduce(link::TextWriter& out) const override { out.add("0123456789abcdef 4fa0"); }
  void closed() override {
    ++closes;
    pipe = nullptr;
  }
  void link_lost() override {
    ++losses;
    pipe = nullptr;
  }
  std::string read() {
    std::array<std::uint8_t, 4096> buffer;
    const std::size_t size = pipe->read(buffer);
    return {buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size)};
  }

  link::DebugStream* pipe = nullptr;
  bool accepts = true;
  int closes = 0;
  int losses = 0;
};

struct TestWallClock final : link::WallClock {
  void set_wall_time(std::uint64_t wall_us, std::uint64_t) override { wall = wall_us; }
  std::uint64_t wall = 0;
};

struct TestObserver final : link::LinkObserver {
  void link_changed(bool connected) override { changes.push_back(connected); }
  std::vector<bool> changes;
};

struct TestMeter final : link::ResourceMeter {
  void measure(mv_wire_Resources& out) override { out.tls_stack_size = 6144; }
};

struct TestSink final : link::BlobSink {
  void on_chunk(std::uint32_t offset, std::span<const std::uint8_t> bytes, std::uint32_t size) override {
    EXPECT_EQ(offset, start + data.size());
    data.append(bytes.begin(), bytes.end());
    total = size;
  }
  void on_record(std::uint32_t segment, std::uint32_t offset, std::span<const std::uint8_t> bytes,
                 std::uint32_t size) override {
    std::string& record = records[segment];
    EXPECT_EQ(offset, record.size());
    record.append(bytes.begin(), bytes.end());
    total = size;
  }
  void on_fetched() override { ++fetched; }
  void on_missing() override { ++missing; }
  void on_interrupted() override { ++interrupted; }

  std::uint32_t start = 0;
  std::string data;
  std::map<std::uint32_t, std::string> records;
  std::uint32_t total = 0;
  int fetched = 0, missing = 0, interrupted = 0;
};

struct LinkCast {
  Credentials ca = make_credentials("test CA");
  Credentials gateway = make_credentials("cloud.test", &ca);
  Credentials device = make_credentials("UV00", &ca);
  Bytes ca_der = ca.der();
  Bytes device_der = device.der();
  Bytes device_key = device.private_scalar();
};

inline const LinkCast& link_cast() {
  static const LinkCast made;
  return made;
}

// TLS is set up once for the program; its clock and random bytes are the same for all tests.
inline TestEntropy& shared_entropy() {
  static TestEntropy entropy;
  return entropy;
}

inline host::FakeClock& shared_clock() {
  static host::FakeClock clock;
  static const bool done = tls::set_up(shared_entropy(), clock);
  if (!done) throw std::logic_error("the crypto library does not start");
  return clock;
}

class LinkTest : public testing::Test {
 protected:
  // Runs until nothing happens any more without time passing.
  void settle() {
    for (int i = 0; i < 200'000; ++i) {
      if (!agent->poll()) return;
    }
    FAIL() << "the link is busy for ever";
  }

  // Lets time pass, from one deadline to the next.
  void pass(std::uint64_t span_us) {
    const std::uint64_t end = clock.now_us + span_us;
    settle();
    while (agent->next_deadline_us() <= end && !HasFatalFailure()) {
      clock.now_us = std::max(clock.now_us + 1, agent->next_deadline_us());
      settle();
    }
    clock.now_us = std::max(clock.now_us, end);
    settle();
  }

  void connect() {
    pass(2 * kSecond);
    ASSERT_TRUE(agent->connected()) << agent->last_error();
    ASSERT_EQ(cloud.broken, "");
  }

  void reboot() {
    agent.reset();
    sessions = std::make_unique<link::FlashSessionStore>(flash);
    start();
  }

  void start() {
    const link::Peers peers{update, logs, crashes, debug, wall_clock, observer, meter, *sessions};
    driver = std::make_unique<link::QuectelModem>(modem, clock);
    agent = std::make_unique<link::LinkAgent>(*driver, clock, shared_entropy(), address, info, peers);
  }

  LinkTest() { start(); }

  host::FakeClock& clock = shared_clock();
  TestModem modem;
  OpenSslContext context{{.own = &link_cast().gateway, .ca = &link_cast().ca}};
  TestCloud cloud{modem, context};
  TestUpdate update;
  TestLogs logs;
  TestCrashes crashes;
  TestDebug debug;
  TestWallClock wall_clock;
  TestObserver observer;
  TestMeter meter;
  host::FakeFlash flash{flash_map::kTlsSession.offset + flash_map::kTlsSession.size};
  std::unique_ptr<link::FlashSessionStore> sessions = std::make_unique<link::FlashSessionStore>(flash);
  link::CloudAddress address{"cloud.test",
                             8443,
                             "cloud.test",
                             link_cast().device_der,
                             std::span<const std::uint8_t, 32>(link_cast().device_key),
                             link_cast().ca_der};
  link::DeviceInfo info{"UV0123456789abcdef0123456789abcdef",
                        "host",
                        "0.1.0",
                        1,
                        42,
                        3,
                        mv_wire_WakeReason_WAKE_KERNEL_CRASH,
                        "microvisor restarted after a Secure fault at pc 0x10012346"};
  std::unique_ptr<link::QuectelModem> driver;
  std::unique_ptr<link::LinkAgent> agent;
};

}  // namespace mv::test
