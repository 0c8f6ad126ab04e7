// For tests: an agent with a device around it, and a debugger that talks to it in messages.
#pragma once

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/debug/agent.h"
#include "core/debug/fake_device.h"
#include "core/debug/fake_target.h"
#include "wire/proto/agent.pb.h"

namespace mv::debug::test {

class AgentTest : public testing::Test {
 protected:
  AgentTest() {
    EXPECT_TRUE(set_up_crypto());
    board_.set_events(engine_);
    supervisor_.start();
    agent_.connected();
  }

  // The device's life between two events: the Secure thread and the application take turns.
  void live(int turns = 20) {
    for (int i = 0; i < turns; ++i) {
      agent_.poll();
      board_.run(1000);
      clock_.now_us += 100;
    }
    agent_.poll();
  }

  void send_bytes(std::vector<std::uint8_t> bytes) {
    std::span<const std::uint8_t> left(bytes);
    for (int i = 0; i < 10 && !left.empty(); ++i) {
      left = left.subspan(agent_.receive(left));
      collect();
    }
    ASSERT_TRUE(left.empty());
  }

  void send(const wire::AgentRequest& request) {
    const std::string body = request.SerializeAsString();
    std::vector<std::uint8_t> bytes = {static_cast<std::uint8_t>(body.size() >> 8),
                                       static_cast<std::uint8_t>(body.size())};
    bytes.insert(bytes.end(), body.begin(), body.end());
    send_bytes(bytes);
  }

  void collect() {
    for (auto bytes = agent_.unsent(); !bytes.empty(); bytes = agent_.unsent()) {
      const std::size_t size = std::min<std::size_t>(bytes.size(), 100);  // the channel takes what it can
      received_.insert(received_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      agent_.sent(size);
    }
  }

  std::optional<wire::AgentReply> take_reply() {
    collect();
    if (received_.size() < 2) return std::nullopt;
    const std::size_t size = static_cast<std::size_t>(received_[0]) << 8 | received_[1];
    wire::AgentReply reply;
    EXPECT_TRUE(reply.ParseFromArray(received_.data() + 2, static_cast<int>(size)));
    received_.erase(received_.begin(), received_.begin() + static_cast<std::ptrdiff_t>(size) + 2);
    return reply;
  }

  wire::AgentReply ask(wire::AgentRequest request, std::uint32_t sequence) {
    request.set_sequence(sequence);
    send(request);
    live();
    const auto reply = take_reply();
    EXPECT_TRUE(reply.has_value()) << request.DebugString();
    return reply.value_or(wire::AgentReply{});
  }

  wire::AgentReply attach(bool halt = true, const std::string& session = "0123456789abcdef") {
    wire::AgentRequest request;
    request.mutable_attach()->set_session(session);
    request.mutable_attach()->set_halt(halt);
    send(request);
    live();
    return take_reply().value_or(wire::AgentReply{});
  }

  static wire::AgentRequest resume(wire::ResumeMode mode, std::vector<std::uint32_t> insert = {}) {
    wire::AgentRequest request;
    request.mutable_resume()->set_mode(mode);
    for (const auto address : insert) request.mutable_resume()->add_insert(address);
    return request;
  }

  static void add_watch(wire::AgentRequest& request, std::uint32_t address, std::uint32_t length,
                        wire::WatchKind kind) {
    auto& watch = *request.mutable_resume()->add_watch();
    watch.set_address(address);
    watch.set_length(length);
    watch.set_kind(kind);
  }

  static wire::AgentRequest read(std::uint32_t address, std::uint32_t length) {
    wire::AgentRequest request;
    auto& range = *request.mutable_read()->add_ranges();
    range.set_address(address);
    range.set_length(length);
    return request;
  }

  static wire::AgentRequest interrupt() {
    wire::AgentRequest request;
    request.mutable_interrupt();
    return request;
  }

  static wire::AgentRequest detach(bool keep_halted = false) {
    wire::AgentRequest request;
    request.mutable_detach()->set_keep_halted(keep_halted);
    return request;
  }

  static std::uint32_t word(const std::string& bytes, std::size_t index) {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes.data() + 4 * index, 4);
    return value;
  }

  FakeMemory memory_;
  FakeBoard board_{memory_};
  Engine engine_{board_, memory_};
  FakeSupervisor supervisor_{board_, memory_};
  FakeClock clock_;
  Agent agent_{engine_, supervisor_, BoardInfo{"fake", kRegions}, clock_};
  std::vector<std::uint8_t> received_;
};

}  // namespace mv::debug::test
