// The product's agent client on a real encrypted channel, with a device at the other end that says what a test wants.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "gdbserver/target/agent_client.h"
#include "gdbserver/target/debug_link.h"
#include "gdbserver/target/manual_time.h"
#include "gdbserver/target/message_stream.h"
#include "transport/memory_pipe.h"
#include "transport/test_tls.h"

namespace mv::gdb {

inline const std::string kDeviceId = "UV00112233445566778899aabbccddeeff";

inline transport::DebugIdentity new_debug_key() {
  const transport::test::TemporaryFile file(transport::test::Authority().issue("debug key").key);
  return *transport::DebugIdentity::load(file.path());
}

class AgentRig : public testing::Test {
 protected:
  using Device = transport::test::TestDevice;

  // Everything that can happen without time passing.
  void run() {
    do {
      context_.restart();
      time_.pass(std::chrono::milliseconds(0));
    } while (context_.poll() > 0);
  }

  void pass(std::chrono::milliseconds time) {
    run();
    time_.pass(time);
    run();
  }

  void say(const wire::AgentReply& reply) { say_raw(frame_message(reply.SerializeAsString())); }
  void say_raw(std::span<const std::uint8_t> bytes) {
    device_->send(bytes);
    run();
  }

  // The way to the device breaks.
  void cut() {
    static_cast<transport::MemoryPipe&>(device_->carrier()).cut();
    run();
  }

  static wire::AgentReply attached(bool resumed = false) {
    wire::AgentReply reply;
    reply.mutable_attached()->set_resumed(resumed);
    reply.mutable_attached()->set_board("mps2-an505");
    return reply;
  }

  static wire::AgentReply done(std::uint32_t sequence) {
    wire::AgentReply reply;
    reply.set_sequence(sequence);
    reply.mutable_done();
    return reply;
  }

  static wire::AgentReply refused(std::uint32_t sequence, wire::AgentError error, const std::string& detail = "") {
    wire::AgentReply reply;
    reply.set_sequence(sequence);
    reply.set_error(error);
    reply.set_detail(detail);
    return reply;
  }

  // What the device was asked since the last call.
  std::vector<wire::AgentRequest> take_requests() {
    run();
    return std::exchange(requests_, {});
  }

  void open_carrier(DebugLink::Opened opened) {
    ++opens_;
    boost::asio::post(context_, [this, opened = std::move(opened)] {
      if (refusal_) return opened(tl::make_unexpected(*refusal_));
      auto pair = transport::MemoryPipe::make(context_);
      stream_.clear();
      device_ = std::make_unique<Device>(std::move(pair.second), identity_, pinned_.public_point());
      device_->on_data = [this](std::span<const std::uint8_t> bytes) { take(bytes); };
      opened(std::move(pair.first));
    });
  }

  boost::asio::io_context context_;
  ManualTime time_;
  transport::test::Authority authority_;
  transport::test::Identity identity_ = authority_.issue(kDeviceId);
  transport::DebugIdentity key_ = new_debug_key();
  transport::DebugIdentity pinned_ = key_;  // the one that the device takes
  std::optional<AgentLink::Lost> refusal_;  // the carrier cannot be opened
  int opens_ = 0;
  std::unique_ptr<Device> device_;
  std::function<void(const wire::AgentRequest&)> on_request_;
  DebugLink link_{[this](DebugLink::Opened opened) { open_carrier(std::move(opened)); },
                  time_,
                  key_,
                  {authority_.certificate(), kDeviceId}};
  std::uint8_t sessions_ = 0;
  AgentClient client_{link_,
                      time_,
                      [this] {
                        SessionId id{};
                        id.fill(++sessions_);
                        return id;
                      },
                      {}};

 private:
  void take(std::span<const std::uint8_t> bytes) {
    stream_.push(bytes);
    while (const auto message = stream_.next()) {
      wire::AgentRequest request;
      ASSERT_TRUE(request.ParseFromArray(message->data(), static_cast<int>(message->size())));
      requests_.push_back(request);
      if (on_request_) on_request_(request);
    }
  }

  MessageStream stream_;
  std::vector<wire::AgentRequest> requests_;
};

}  // namespace mv::gdb
