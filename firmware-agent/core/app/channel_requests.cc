#include "core/app/channel_requests.h"

#include <algorithm>
#include <array>
#include <limits>
#include <span>

#include "core/app/guest_words.h"

namespace mv::app {
namespace {

// struct MvSizedString.
struct Text {
  std::uint32_t data, length;
};

// struct MvSizedStringBuffer.
struct TextBuffer {
  std::uint32_t data, size, length;
};

bool readable(GuestMemory& memory, const Text& text) { return memory.readable(text.data, text.length); }

bool writable(GuestMemory& memory, const TextBuffer& buffer) {
  return memory.writable(buffer.data, buffer.size) && memory.writable(buffer.length, 4);
}

bool all_writable(GuestMemory& memory, std::initializer_list<std::uint32_t> words) {
  return std::ranges::all_of(words, [&](std::uint32_t word) { return memory.writable(word, 4); });
}

MvStatus late_fault_unless(bool good) { return good ? MV_STATUS_OKAY : MV_STATUS_LATEFAULT; }

// The bytes that a request takes, as far as they fit 32 bits: whoever asks for more has no room for it either.
class Size {
 public:
  void add(std::uint32_t bytes) { sum_ += std::min(bytes, std::numeric_limits<std::uint32_t>::max() - sum_); }
  bool fits(std::uint32_t room) const { return sum_ <= room; }

 private:
  std::uint32_t sum_ = 0;
};

// Follows `count` structures of `kCount` words each, until one is wrong. The caller has bounded `count`.
template <std::size_t kCount, typename Check>
MvStatus for_each(GuestMemory& memory, std::uint32_t address, std::uint32_t count, Check check) {
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t at = std::uint64_t{address} + 4 * kCount * i;
    Words<kCount> words;
    if (at > std::numeric_limits<std::uint32_t>::max()) return MV_STATUS_LATEFAULT;
    if (!copy_words(memory, static_cast<std::uint32_t>(at), words)) return MV_STATUS_LATEFAULT;
    if (const MvStatus status = check(words); status != MV_STATUS_OKAY) return status;
  }
  return MV_STATUS_OKAY;
}

}  // namespace

MvStatus check_http_request(GuestMemory& memory, std::uint32_t address, std::uint32_t send_size) {
  Words<9> words;  // method, url, num_headers, headers, body, timeout_ms
  if (!copy_words(memory, address, words)) return MV_STATUS_PARAMETERFAULT;
  const Text method = {words[0], words[1]}, url = {words[2], words[3]}, body = {words[6], words[7]};
  const std::uint32_t headers = words[4];
  if (headers > kMaxHttpHeaders) return MV_STATUS_TOOMANYELEMENTS;
  Size size;
  for (const Text& text : {method, url, body}) {
    if (!readable(memory, text)) return MV_STATUS_LATEFAULT;
    size.add(text.length);
  }
  const MvStatus status = for_each<2>(memory, words[5], headers, [&](const Words<2>& header) {
    size.add(header[0]);
    return late_fault_unless(readable(memory, {header[1], header[0]}));
  });
  if (status != MV_STATUS_OKAY) return status;
  return size.fits(send_size) ? MV_STATUS_OKAY : MV_STATUS_INVALIDBUFFERSIZE;
}

namespace {

MvStatus check_config_key(GuestMemory& memory, const Text& key) {
  std::array<std::uint8_t, kMaxConfigKeyLength> bytes;
  if (!readable(memory, key)) return MV_STATUS_LATEFAULT;
  if (key.length == 0 || key.length > bytes.size()) return MV_STATUS_INVALIDCONFIGKEY;
  const auto used = std::span(bytes).first(key.length);
  if (!memory.copy_in(used, key.data)) return MV_STATUS_LATEFAULT;
  const bool printable = std::ranges::all_of(used, [](std::uint8_t byte) { return byte >= 0x20 && byte < 0x7f; });
  return printable ? MV_STATUS_OKAY : MV_STATUS_INVALIDCONFIGKEY;
}

}  // namespace

MvStatus check_config_request(GuestMemory& memory, std::uint32_t address, std::uint32_t send_size) {
  Words<2> words;  // num_items, keys_to_fetch
  if (!copy_words(memory, address, words)) return MV_STATUS_PARAMETERFAULT;
  if (words[0] > kMaxConfigKeys) return MV_STATUS_TOOMANYCONFIGKEYS;
  Size size;
  const MvStatus status = for_each<4>(memory, words[1], words[0], [&](const Words<4>& item) {
    const auto [scope, store, data, length] = item;
    if (scope > MV_CONFIGKEYFETCHSCOPE_DEVICE) return MV_STATUS_UNKNOWNCONFIGSCOPE;
    if (store > MV_CONFIGKEYFETCHSTORE_CONFIG) return MV_STATUS_UNKNOWNCONFIGSTORE;
    size.add(length);
    return check_config_key(memory, {data, length});
  });
  if (status != MV_STATUS_OKAY) return status;
  return size.fits(send_size) ? MV_STATUS_OKAY : MV_STATUS_INVALIDBUFFERSIZE;
}

MvStatus check_config_item(GuestMemory& memory, std::uint32_t address) {
  Words<5> words;  // item_index, result, buf
  if (!copy_words(memory, address, words)) return MV_STATUS_PARAMETERFAULT;
  const auto [index, result, data, size, length] = words;
  return late_fault_unless(memory.writable(result, 4) && writable(memory, {data, size, length}));
}

// ---- MQTT ----

namespace {

// struct MvMqttConnectRequest with what it points to; absent parts are empty.
struct Connect {
  Text host, client_id, user_name, password;
  std::uint32_t method = 0;
  std::uint32_t ca_count = 0, ca_certificates = 0, own_count = 0, own_certificates = 0;
  Text own_key{};
  bool has_will = false;
  Text topic{}, payload{};
};

MvStatus read_connect(GuestMemory& memory, std::uint32_t address, Connect& out) {
  Words<15> words;
  if (!copy_words(memory, address, words)) return MV_STATUS_PARAMETERFAULT;
  out.host = {words[1], words[2]};
  out.client_id = {words[4], words[5]};
  out.method = words[6] & 0xffU;  // one byte, the rest is padding
  out.user_name = {words[7], words[8]};
  out.password = {words[9], words[10]};
  if (const std::uint32_t credentials = words[11]; credentials != 0) {
    Words<6> tls;
    if (!copy_words(memory, credentials, tls)) return MV_STATUS_LATEFAULT;
    out.ca_count = tls[0];
    out.ca_certificates = tls[1];
    out.own_count = tls[2];
    out.own_certificates = tls[3];
    out.own_key = {tls[4], tls[5]};
  }
  if (const std::uint32_t will = words[14]; will != 0) {
    Words<6> parts;
    if (!copy_words(memory, will, parts)) return MV_STATUS_LATEFAULT;
    out.has_will = true;
    out.topic = {parts[0], parts[1]};
    out.payload = {parts[2], parts[3]};
  }
  return MV_STATUS_OKAY;
}

bool misses_something(const Connect& connect) {
  if (connect.host.length == 0 || connect.client_id.length == 0) return true;
  if (connect.own_count != 0 && connect.own_key.length == 0) return true;
  return connect.has_will && (connect.topic.length == 0 || connect.payload.length == 0);
}

MvStatus check_texts(GuestMemory& memory, std::uint32_t texts, std::uint32_t count) {
  return for_each<2>(memory, texts, count, [&](const Words<2>& text) {
    return late_fault_unless(readable(memory, {text[0], text[1]}));
  });
}

}  // namespace

MvStatus check_mqtt_connect(GuestMemory& memory, std::uint32_t address) {
  Connect connect;
  const MvStatus status = read_connect(memory, address, connect);
  if (status != MV_STATUS_OKAY) return status;
  const bool by_name = connect.method == MV_MQTTAUTHENTICATIONMETHOD_USERNAMEPASSWORD;
  if (connect.method > MV_MQTTAUTHENTICATIONMETHOD_USERNAMEPASSWORD) return MV_STATUS_INVALIDAUTHENTICATION;
  if (by_name && connect.own_count != 0) return MV_STATUS_INVALIDAUTHENTICATION;
  if (connect.ca_count > kMaxCertificates || connect.own_count > kMaxCertificates) return MV_STATUS_TOOMANYELEMENTS;
  if (misses_something(connect)) return MV_STATUS_REQUIREDELEMENTMISSING;
  for (const Text& text : {connect.host, connect.client_id, connect.own_key, connect.topic, connect.payload}) {
    if (!readable(memory, text)) return MV_STATUS_LATEFAULT;
  }
  if (by_name && (!readable(memory, connect.user_name) || !readable(memory, connect.password))) {
    return MV_STATUS_LATEFAULT;
  }
  const MvStatus ca = check_texts(memory, connect.ca_certificates, connect.ca_count);
  return ca != MV_STATUS_OKAY ? ca : check_texts(memory, connect.own_certificates, connect.own_count);
}

MvStatus check_mqtt_subscribe(GuestMemory& memory, std::uint32_t address) {
  Words<3> words;  // correlation_id, subscriptions, num_subscriptions
  if (!copy_words(memory, address, words)) return MV_STATUS_PARAMETERFAULT;
  if (words[2] > kMaxTopics) return MV_STATUS_TOOMANYELEMENTS;
  if (words[2] == 0) return MV_STATUS_REQUIREDELEMENTMISSING;
  return for_each<6>(memory, words[1], words[2], [&](const Words<6>& subscription) {
    return late_fault_unless(readable(memory, {subscription[0], subscription[1]}));
  });
}

MvStatus check_mqtt_unsubscribe(GuestMemory& memory, std::uint32_t address) {
  Words<3> words;  // correlation_id, topics, num_topics
  if (!copy_words(memory, address, words)) return MV_STATUS_PARAMETERFAULT;
  if (words[2] > kMaxTopics) return MV_STATUS_TOOMANYELEMENTS;
  if (words[2] == 0) return MV_STATUS_REQUIREDELEMENTMISSING;
  return check_texts(memory, words[1], words[2]);
}

MvStatus check_mqtt_publish(GuestMemory& memory, std::uint32_t address) {
  Words<7> words;  // correlation_id, topic, payload, desired_qos, retain
  if (!copy_words(memory, address, words)) return MV_STATUS_PARAMETERFAULT;
  return late_fault_unless(readable(memory, {words[1], words[2]}) && readable(memory, {words[3], words[4]}));
}

MvStatus check_mqtt_acknowledgements(GuestMemory& memory, std::uint32_t address) {
  Words<5> words;
  if (!copy_words(memory, address, words)) return MV_STATUS_PARAMETERFAULT;
  const auto [state, correlation_id, codes, codes_size, codes_length] = words;
  return late_fault_unless(all_writable(memory, {state, correlation_id, codes_length}) &&
                           memory.writable(codes, codes_size));
}

MvStatus check_mqtt_message(GuestMemory& memory, std::uint32_t address) {
  Words<9> words;  // correlation_id, topic, payload, qos, retain
  if (!copy_words(memory, address, words)) return MV_STATUS_PARAMETERFAULT;
  return late_fault_unless(all_writable(memory, {words[0], words[7]}) && memory.writable(words[8], 1) &&
                           writable(memory, {words[1], words[2], words[3]}) &&
                           writable(memory, {words[4], words[5], words[6]}));
}

MvStatus check_mqtt_lost_message(GuestMemory& memory, std::uint32_t address) {
  Words<5> words;  // reason, topic, message_len
  if (!copy_words(memory, address, words)) return MV_STATUS_PARAMETERFAULT;
  return late_fault_unless(all_writable(memory, {words[0], words[4]}) &&
                           writable(memory, {words[1], words[2], words[3]}));
}

}  // namespace mv::app
