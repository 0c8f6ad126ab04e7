// What carries channels into the network.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "sdk/include/mv_syscalls.h"

namespace mv::app {

// A call on an open channel whose arguments were all looked at: which one, and the arguments behind its handle.
struct ChannelCall {
  enum class Kind : std::uint8_t {
    kRead,
    kReadComplete,
    kWriteStream,
    kWrite,
    kHttpRequest,
    kHttpResponse,
    kHttpHeader,
    kHttpBody,
    kConfigRequest,
    kConfigResponse,
    kConfigItem,
    kMqttNextType,
    kMqttConnect,
    kMqttConnectResponse,
    kMqttSubscribe,
    kMqttSubscribeResponse,
    kMqttUnsubscribe,
    kMqttUnsubscribeResponse,
    kMqttPublish,
    kMqttPublishResponse,
    kMqttMessage,
    kMqttLostMessage,
    kMqttAcknowledge,
    kMqttDisconnect,
    kMqttDisconnectResponse,
  };

  Kind kind;
  std::array<std::uint32_t, 3> arguments{};
};

class ChannelService {
 public:
  // Whether a channel can be opened now.
  virtual bool connected() = 0;

  // Carries out `call` on the channel at `place`, and answers as the call does.
  virtual MvStatus carry(std::size_t place, const ChannelCall& call) = 0;

  // The channel at `place` is closed.
  virtual void closed(std::size_t place) = 0;

 protected:
  ~ChannelService() = default;
};

// A microvisor without such a service: it is as if there were no network.
class NoChannelService final : public ChannelService {
 public:
  bool connected() override { return false; }
  MvStatus carry(std::size_t, const ChannelCall&) override { return MV_STATUS_CHANNELCLOSED; }
  void closed(std::size_t) override {}
};

}  // namespace mv::app
