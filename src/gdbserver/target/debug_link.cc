#include "gdbserver/target/debug_link.h"

#include <utility>

#include "wire/frame.h"

namespace mv::gdb {

AgentLink::Lost classify(const transport::PipeEnd& end) {
  using transport::PipeEnd;
  if (end.reason == PipeEnd::Reason::kLost)
    return {{ErrorCode::kOffline, end.text.empty() ? "the way to the device was cut" : end.text}, true};
  switch (static_cast<frame::CloseReason>(end.code)) {
    case frame::CloseReason::kRefused:
      return {{ErrorCode::kRefused, end.text.empty() ? "the device refused to be debugged" : end.text}, false};
    case frame::CloseReason::kBusy:
      return {{ErrorCode::kBusy, end.text.empty() ? "somebody else debugs this device" : end.text}, true};
    case frame::CloseReason::kProtocol:
      return {{ErrorCode::kProtocol, end.text.empty() ? "the device broke off the debug stream" : end.text}, false};
    default:
      return {{ErrorCode::kOffline, end.text.empty() ? "the device went away" : end.text}, true};
  }
}

DebugLink::DebugLink(OpenCarrier open_carrier, Scheduler& scheduler, transport::DebugIdentity identity,
                     transport::SecureChannel::Peer peer)
    : open_carrier_(std::move(open_carrier)),
      scheduler_(scheduler),
      identity_(std::move(identity)),
      peer_(std::move(peer)) {}

DebugLink::~DebugLink() {
  if (attempt_) *attempt_ = false;
}

void DebugLink::open(Events events) {
  close();
  events_ = std::move(events);
  attempt_ = std::make_shared<bool>(true);
  open_carrier_([this, attempt = attempt_](auto opened) {
    if (!*attempt) return;
    if (!opened) return lost(opened.error());
    carrier_open(std::move(*opened));
  });
}

void DebugLink::carrier_open(std::unique_ptr<transport::BytePipe> carrier) {
  auto channel = transport::SecureChannel::make(std::move(carrier), identity_, peer_);
  if (!channel) return lost({{ErrorCode::kBadRequest, channel.error()}, false});
  channel_ = std::move(*channel);
  channel_->start(
      [this, attempt = attempt_](std::span<const std::uint8_t> bytes) {
        if (*attempt) events_.on_data(bytes);
      },
      [this, attempt = attempt_](const transport::PipeEnd& end) {
        if (*attempt) lost(classify(end));
      });
  events_.on_open();
}

void DebugLink::send(std::span<const std::uint8_t> bytes) {
  if (channel_) channel_->send(bytes);
}

// The channel may be the one that is calling, so it is destroyed when that call is over.
void DebugLink::close() {
  if (attempt_) *attempt_ = false;
  if (!channel_) return;
  channel_->close();
  scheduler_.post([channel = std::shared_ptr<transport::BytePipe>(std::move(channel_))] {});
}

void DebugLink::lost(const Lost& lost) {
  close();
  const auto on_lost = events_.on_lost;
  on_lost(lost);
}

}  // namespace mv::gdb
