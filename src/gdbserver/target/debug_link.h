// The agent client's link over byte pipes: opens a carrier, runs the secure channel on it, and sorts how it ended.
#pragma once

#include <functional>
#include <memory>

#include "gdbserver/target/agent_link.h"
#include "gdbserver/target/scheduler.h"
#include "transport/byte_pipe.h"
#include "transport/secure_channel.h"

namespace mv::gdb {

class DebugLink final : public AgentLink {
 public:
  using Opened = std::function<void(tl::expected<std::unique_ptr<transport::BytePipe>, Lost>)>;

  // Opens a carrier to the device and calls back once, from the event loop.
  using OpenCarrier = std::function<void(Opened)>;

  DebugLink(OpenCarrier open_carrier, Scheduler& scheduler, transport::DebugIdentity identity,
            transport::SecureChannel::Peer peer);
  ~DebugLink() override;

  void open(Events events) override;
  void send(std::span<const std::uint8_t> bytes) override;
  void close() override;

 private:
  void carrier_open(std::unique_ptr<transport::BytePipe> carrier);
  void lost(const Lost& lost);

  OpenCarrier open_carrier_;
  Scheduler& scheduler_;
  transport::DebugIdentity identity_;
  transport::SecureChannel::Peer peer_;
  Events events_;
  std::unique_ptr<transport::BytePipe> channel_;
  std::shared_ptr<bool> attempt_;  // false once the attempt it belongs to was given up
};

// How a pipe's end is to be taken: what it means, and whether connecting again may help.
AgentLink::Lost classify(const transport::PipeEnd& end);

}  // namespace mv::gdb
