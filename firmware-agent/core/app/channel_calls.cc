#include "core/app/channel_calls.h"

#include <algorithm>

#include "core/app/guest_words.h"

namespace mv::app {
namespace {

using Kind = ChannelCall::Kind;

constexpr std::uint32_t kOpenVersion = 1;

}  // namespace

// ---- opening and closing ----

MvStatus ChannelCalls::open(std::uint32_t params, std::uint32_t handle_out) {
  Words<11> words;
  if (!copy_words(memory_, params, words) || !memory_.writable(handle_out, 4)) return MV_STATUS_PARAMETERFAULT;
  const auto [version, centre, tag, network, receive, receive_size, send, send_size, type, endpoint, endpoint_size] =
      words;
  if (version != kOpenVersion) return MV_STATUS_UNSUPPORTEDSTRUCTUREVERSION;
  if (!memory_.writable(receive, receive_size) || !memory_.writable(send, send_size) ||
      !memory_.readable(endpoint, endpoint_size)) {
    return MV_STATUS_PARAMETERFAULT;
  }
  if (!system_.notifications_open(static_cast<Handle>(centre))) return MV_STATUS_INVALIDHANDLE;
  if (!system_.network_requested(static_cast<Handle>(network))) return MV_STATUS_INVALIDHANDLE;
  if (send % kBufferUnit != 0 || receive % kBufferUnit != 0) return MV_STATUS_INVALIDBUFFERALIGNMENT;
  for (const std::uint32_t size : {send_size, receive_size}) {
    if (size == 0 || size % kBufferUnit != 0) return MV_STATUS_INVALIDBUFFERSIZE;
  }
  if (endpoint_size != 0) return MV_STATUS_UNKNOWNCHANNELENDPOINT;  // there are none with a name
  if (type > MV_CHANNELTYPE_CONFIGFETCH) return MV_STATUS_UNKNOWNCHANNELTYPE;
  const LockGuard guard(lock_);
  if (!service_.connected()) return MV_STATUS_NETWORKNOTCONNECTED;
  const auto free = std::ranges::find(channels_, Handle::kNone, &Channel::handle);
  if (free == channels_.end()) return MV_STATUS_TOOMANYCHANNELS;
  *free = {handles_.make(static_cast<std::size_t>(free - channels_.begin())), type, send_size};
  return put_word(memory_, handle_out, static_cast<std::uint32_t>(free->handle));
}

ChannelCalls::Channel* ChannelCalls::find(std::uint32_t handle, std::uint32_t type) {
  if (handle == 0) return nullptr;
  const auto found = std::ranges::find(channels_, static_cast<Handle>(handle), &Channel::handle);
  if (found == channels_.end() || (type != kAnyType && found->type != type)) return nullptr;
  return &*found;
}

MvStatus ChannelCalls::close(std::uint32_t handle_in_out) {
  Words<1> handle;
  if (!memory_.writable(handle_in_out, 4) || !copy_words(memory_, handle_in_out, handle)) {
    return MV_STATUS_PARAMETERFAULT;
  }
  const LockGuard guard(lock_);
  Channel* channel = find(handle[0], kAnyType);
  if (channel == nullptr) return MV_STATUS_INVALIDHANDLE;
  service_.closed(static_cast<std::size_t>(channel - channels_.data()));
  *channel = {};
  return put_word(memory_, handle_in_out, 0);
}

MvStatus ChannelCalls::closure_reason(std::uint32_t handle, std::uint32_t out) {
  if (!memory_.writable(out, 4)) return MV_STATUS_PARAMETERFAULT;
  const LockGuard guard(lock_);
  if (find(handle, kAnyType) == nullptr) return MV_STATUS_INVALIDHANDLE;
  return put_word(memory_, out, service_.connected() ? MV_CLOSUREREASON_NONE : MV_CLOSUREREASON_NETWORKDISCONNECTED);
}

void ChannelCalls::reset() {
  const LockGuard guard(lock_);
  for (std::size_t place = 0; place < kChannels; ++place) {
    if (channels_[place].handle != Handle::kNone) service_.closed(place);
  }
  channels_ = {};
}

// ---- what most calls have in common ----

MvStatus ChannelCalls::carry(const Channel& channel, const ChannelCall& call) {
  return service_.carry(static_cast<std::size_t>(&channel - channels_.data()), call);
}

template <typename Check>
MvStatus ChannelCalls::request(std::uint32_t handle, std::uint32_t type, std::uint32_t address, std::uint32_t size,
                               ChannelCall::Kind kind, Check check) {
  if (!memory_.readable(address, size)) return MV_STATUS_PARAMETERFAULT;
  const LockGuard guard(lock_);
  const Channel* channel = find(handle, type);
  if (channel == nullptr) return MV_STATUS_INVALIDHANDLE;
  const MvStatus status = check(*channel);
  return status != MV_STATUS_OKAY ? status : carry(*channel, {kind, {address}});
}

MvStatus ChannelCalls::response(std::uint32_t handle, std::uint32_t type, std::uint32_t out, std::uint32_t size,
                                const ChannelCall& call) {
  return memory_.writable(out, size) ? plain(handle, type, call) : MV_STATUS_PARAMETERFAULT;
}

MvStatus ChannelCalls::plain(std::uint32_t handle, std::uint32_t type, const ChannelCall& call) {
  const LockGuard guard(lock_);
  const Channel* channel = find(handle, type);
  return channel == nullptr ? MV_STATUS_INVALIDHANDLE : carry(*channel, call);
}

// ---- bytes ----

MvStatus ChannelCalls::read(std::uint32_t handle, std::uint32_t data_out, std::uint32_t length_out) {
  if (!memory_.writable(data_out, 4)) return MV_STATUS_PARAMETERFAULT;
  return response(handle, kAnyType, length_out, 4, {Kind::kRead, {data_out, length_out}});
}

MvStatus ChannelCalls::read_complete(std::uint32_t handle, std::uint32_t consumed) {
  return plain(handle, kAnyType, {Kind::kReadComplete, {consumed}});
}

MvStatus ChannelCalls::write_stream(std::uint32_t handle, std::uint32_t data, std::uint32_t length,
                                    std::uint32_t written_out) {
  return write_bytes(handle, written_out, {Kind::kWriteStream, {data, length, written_out}});
}

MvStatus ChannelCalls::write(std::uint32_t handle, std::uint32_t data, std::uint32_t length,
                             std::uint32_t available_out) {
  return write_bytes(handle, available_out, {Kind::kWrite, {data, length, available_out}});
}

MvStatus ChannelCalls::write_bytes(std::uint32_t handle, std::uint32_t out, const ChannelCall& call) {
  const LockGuard guard(lock_);
  const Channel* channel = find(handle, kAnyType);
  if (channel == nullptr) return MV_STATUS_INVALIDHANDLE;
  const bool good = memory_.readable(call.arguments[0], call.arguments[1]) && memory_.writable(out, 4);
  return good ? carry(*channel, call) : MV_STATUS_PARAMETERFAULT;
}

// ---- HTTP ----

MvStatus ChannelCalls::http_request(std::uint32_t handle, std::uint32_t address) {
  return request(handle, MV_CHANNELTYPE_HTTP, address, 36, Kind::kHttpRequest,
                 [&](const Channel& channel) { return check_http_request(memory_, address, channel.send_size); });
}

MvStatus ChannelCalls::http_response(std::uint32_t handle, std::uint32_t out) {
  return response(handle, MV_CHANNELTYPE_HTTP, out, 16, {Kind::kHttpResponse, {out}});
}

MvStatus ChannelCalls::http_header(std::uint32_t handle, std::uint32_t index, std::uint32_t buffer,
                                   std::uint32_t size) {
  return response(handle, MV_CHANNELTYPE_HTTP, buffer, size, {Kind::kHttpHeader, {index, buffer, size}});
}

MvStatus ChannelCalls::http_body(std::uint32_t handle, std::uint32_t offset, std::uint32_t buffer, std::uint32_t size) {
  return response(handle, MV_CHANNELTYPE_HTTP, buffer, size, {Kind::kHttpBody, {offset, buffer, size}});
}

// ---- configuration ----

MvStatus ChannelCalls::config_request(std::uint32_t handle, std::uint32_t address) {
  return request(handle, MV_CHANNELTYPE_CONFIGFETCH, address, 8, Kind::kConfigRequest,
                 [&](const Channel& channel) { return check_config_request(memory_, address, channel.send_size); });
}

MvStatus ChannelCalls::config_response(std::uint32_t handle, std::uint32_t out) {
  return response(handle, MV_CHANNELTYPE_CONFIGFETCH, out, 8, {Kind::kConfigResponse, {out}});
}

MvStatus ChannelCalls::config_item(std::uint32_t handle, std::uint32_t params) {
  return request(handle, MV_CHANNELTYPE_CONFIGFETCH, params, 20, Kind::kConfigItem,
                 [&](const Channel&) { return check_config_item(memory_, params); });
}

// ---- MQTT ----

MvStatus ChannelCalls::mqtt_next_type(std::uint32_t handle, std::uint32_t out) {
  return response(handle, MV_CHANNELTYPE_MQTT, out, 4, {Kind::kMqttNextType, {out}});
}

MvStatus ChannelCalls::mqtt_connect(std::uint32_t handle, std::uint32_t address) {
  return request(handle, MV_CHANNELTYPE_MQTT, address, 60, Kind::kMqttConnect,
                 [&](const Channel&) { return check_mqtt_connect(memory_, address); });
}

MvStatus ChannelCalls::mqtt_connect_response(std::uint32_t handle, std::uint32_t out) {
  return response(handle, MV_CHANNELTYPE_MQTT, out, 8, {Kind::kMqttConnectResponse, {out}});
}

MvStatus ChannelCalls::mqtt_subscribe(std::uint32_t handle, std::uint32_t address) {
  return request(handle, MV_CHANNELTYPE_MQTT, address, 12, Kind::kMqttSubscribe,
                 [&](const Channel&) { return check_mqtt_subscribe(memory_, address); });
}

MvStatus ChannelCalls::mqtt_subscribe_response(std::uint32_t handle, std::uint32_t address) {
  return request(handle, MV_CHANNELTYPE_MQTT, address, 20, Kind::kMqttSubscribeResponse,
                 [&](const Channel&) { return check_mqtt_acknowledgements(memory_, address); });
}

MvStatus ChannelCalls::mqtt_unsubscribe(std::uint32_t handle, std::uint32_t address) {
  return request(handle, MV_CHANNELTYPE_MQTT, address, 12, Kind::kMqttUnsubscribe,
                 [&](const Channel&) { return check_mqtt_unsubscribe(memory_, address); });
}

MvStatus ChannelCalls::mqtt_unsubscribe_response(std::uint32_t handle, std::uint32_t address) {
  return request(handle, MV_CHANNELTYPE_MQTT, address, 20, Kind::kMqttUnsubscribeResponse,
                 [&](const Channel&) { return check_mqtt_acknowledgements(memory_, address); });
}

MvStatus ChannelCalls::mqtt_publish(std::uint32_t handle, std::uint32_t address) {
  return request(handle, MV_CHANNELTYPE_MQTT, address, 28, Kind::kMqttPublish,
                 [&](const Channel&) { return check_mqtt_publish(memory_, address); });
}

MvStatus ChannelCalls::mqtt_publish_response(std::uint32_t handle, std::uint32_t out) {
  return response(handle, MV_CHANNELTYPE_MQTT, out, 12, {Kind::kMqttPublishResponse, {out}});
}

MvStatus ChannelCalls::mqtt_message(std::uint32_t handle, std::uint32_t address) {
  return request(handle, MV_CHANNELTYPE_MQTT, address, 36, Kind::kMqttMessage,
                 [&](const Channel&) { return check_mqtt_message(memory_, address); });
}

MvStatus ChannelCalls::mqtt_lost_message(std::uint32_t handle, std::uint32_t address) {
  return request(handle, MV_CHANNELTYPE_MQTT, address, 20, Kind::kMqttLostMessage,
                 [&](const Channel&) { return check_mqtt_lost_message(memory_, address); });
}

MvStatus ChannelCalls::mqtt_acknowledge(std::uint32_t handle, std::uint32_t correlation_id) {
  return plain(handle, MV_CHANNELTYPE_MQTT, {Kind::kMqttAcknowledge, {correlation_id}});
}

MvStatus ChannelCalls::mqtt_disconnect(std::uint32_t handle) {
  return plain(handle, MV_CHANNELTYPE_MQTT, {Kind::kMqttDisconnect, {}});
}

MvStatus ChannelCalls::mqtt_disconnect_response(std::uint32_t handle, std::uint32_t out) {
  return response(handle, MV_CHANNELTYPE_MQTT, out, 8, {Kind::kMqttDisconnectResponse, {out}});
}

}  // namespace mv::app
