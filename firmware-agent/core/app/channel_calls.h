// The calls for channels: opaque bytes, HTTP, configuration, MQTT (docs/system-calls.md).
//
// Here they are looked at; a ChannelService carries them out. Without one nothing opens, and so no handle is valid. The
// order of answers is the original's: PARAMETERFAULT for the call's own pointers, then INVALIDHANDLE, then what is
// wrong within structures (channel_requests.h). Only the two calls that write look at the handle first.
#pragma once

#include <array>
#include <cstdint>

#include "core/app/call_family.h"
#include "core/app/channel_requests.h"
#include "core/app/channel_service.h"
#include "core/app/handles.h"
#include "core/app/system_calls.h"
#include "core/platform/guest.h"

namespace mv::app {

class ChannelCalls final : public CallFamily {
 public:
  static constexpr std::size_t kChannels = 4;
  static constexpr std::uint32_t kBufferUnit = 512;  // bytes: of buffers' sizes, and the alignment of both

  ChannelCalls(GuestMemory& memory, SystemCalls& system, ChannelService& service, Lock& lock)
      : memory_(memory), system_(system), service_(service), lock_(lock) {}

  MvStatus open(std::uint32_t params, std::uint32_t handle_out);
  MvStatus close(std::uint32_t handle_in_out);
  MvStatus closure_reason(std::uint32_t handle, std::uint32_t out);
  MvStatus read(std::uint32_t handle, std::uint32_t data_out, std::uint32_t length_out);
  MvStatus read_complete(std::uint32_t handle, std::uint32_t consumed);
  MvStatus write_stream(std::uint32_t handle, std::uint32_t data, std::uint32_t length, std::uint32_t written_out);
  MvStatus write(std::uint32_t handle, std::uint32_t data, std::uint32_t length, std::uint32_t available_out);

  MvStatus http_request(std::uint32_t handle, std::uint32_t request);
  MvStatus http_response(std::uint32_t handle, std::uint32_t out);
  MvStatus http_header(std::uint32_t handle, std::uint32_t index, std::uint32_t buffer, std::uint32_t size);
  MvStatus http_body(std::uint32_t handle, std::uint32_t offset, std::uint32_t buffer, std::uint32_t size);

  MvStatus config_request(std::uint32_t handle, std::uint32_t request);
  MvStatus config_response(std::uint32_t handle, std::uint32_t out);
  MvStatus config_item(std::uint32_t handle, std::uint32_t params);

  MvStatus mqtt_next_type(std::uint32_t handle, std::uint32_t out);
  MvStatus mqtt_connect(std::uint32_t handle, std::uint32_t request);
  MvStatus mqtt_connect_response(std::uint32_t handle, std::uint32_t out);
  MvStatus mqtt_subscribe(std::uint32_t handle, std::uint32_t request);
  MvStatus mqtt_subscribe_response(std::uint32_t handle, std::uint32_t response);
  MvStatus mqtt_unsubscribe(std::uint32_t handle, std::uint32_t request);
  MvStatus mqtt_unsubscribe_response(std::uint32_t handle, std::uint32_t response);
  MvStatus mqtt_publish(std::uint32_t handle, std::uint32_t request);
  MvStatus mqtt_publish_response(std::uint32_t handle, std::uint32_t out);
  MvStatus mqtt_message(std::uint32_t handle, std::uint32_t message);
  MvStatus mqtt_lost_message(std::uint32_t handle, std::uint32_t info);
  MvStatus mqtt_acknowledge(std::uint32_t handle, std::uint32_t correlation_id);
  MvStatus mqtt_disconnect(std::uint32_t handle);
  MvStatus mqtt_disconnect_response(std::uint32_t handle, std::uint32_t out);

  void reset() override;

 private:
  struct Channel {
    Handle handle = Handle::kNone;
    std::uint32_t type = 0;  // MvChannelType
    std::uint32_t send_size = 0;
  };
  static constexpr std::uint32_t kAnyType = 0xffffffff;

  Channel* find(std::uint32_t handle, std::uint32_t type);
  MvStatus carry(const Channel& channel, const ChannelCall& call);

  // A call with a structure to read, of `size` bytes, which `check` looks through.
  template <typename Check>
  MvStatus request(std::uint32_t handle, std::uint32_t type, std::uint32_t address, std::uint32_t size,
                   ChannelCall::Kind kind, Check check);
  // One with a place for its result, of `size` bytes.
  MvStatus response(std::uint32_t handle, std::uint32_t type, std::uint32_t out, std::uint32_t size,
                    const ChannelCall& call);
  // One with neither.
  MvStatus plain(std::uint32_t handle, std::uint32_t type, const ChannelCall& call);
  MvStatus write_bytes(std::uint32_t handle, std::uint32_t out, const ChannelCall& call);

  GuestMemory& memory_;
  SystemCalls& system_;
  ChannelService& service_;
  Lock& lock_;
  HandleMaker handles_{HandleKind::kChannel};
  std::array<Channel, kChannels> channels_{};
};

}  // namespace mv::app
