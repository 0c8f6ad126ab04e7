#include "core/update/identity_store.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <pb_decode.h>

#include "core/platform/flash_map.h"
#include "core/storage/crc32.h"
#include "core/storage/little_endian.h"

namespace mv::update {
namespace {

constexpr std::uint32_t kHeader = 8;
constexpr std::uint32_t kMaxLength = flash_map::kIdentity.size - kHeader;
constexpr std::size_t kDeviceId = 34;  // "UV" and 32 digits

struct Source {
  Flash& flash;
  std::uint32_t offset;
};

bool read_flash(pb_istream_t* stream, pb_byte_t* buffer, size_t count) {
  auto* source = static_cast<Source*>(stream->state);
  if (source->flash.read(source->offset, {buffer, count}) != Flash::Result::kOk) return false;
  source->offset += static_cast<std::uint32_t>(count);
  return true;
}

bool crc_matches(Flash& flash, std::uint32_t length, std::uint32_t expected) {
  std::array<std::uint8_t, 64> piece;
  std::uint32_t crc = 0;
  for (std::uint32_t done = 0; done < length;) {
    const auto part = std::span(piece).first(std::min<std::uint32_t>(piece.size(), length - done));
    if (flash.read(flash_map::kIdentity.offset + kHeader + done, part) != Flash::Result::kOk) return false;
    crc = storage::crc32(part, crc);
    done += static_cast<std::uint32_t>(part.size());
  }
  return crc == expected;
}

std::string_view judge(const mv_wire_Identity& identity) {
  if (std::strlen(identity.device_id) != kDeviceId || std::strncmp(identity.device_id, "UV", 2) != 0) {
    return "the device id is not UV and 32 digits: provision the device again";
  }
  if (identity.private_key.size != 32) return "the private key is not 32 bytes: provision the device again";
  for (std::size_t i = 0; i < identity.decryption_keys_count; ++i) {
    if (identity.decryption_keys[i].size != 32) return "a decryption key is not 32 bytes: provision the device again";
  }
  if (identity.certificate.size == 0 || identity.ca_certificate.size == 0) {
    return "a certificate is missing: provision the device again";
  }
  if (identity.host[0] == '\0' || identity.port == 0 || identity.port > 65535) {
    return "there is no address of a cloud: provision the device again";
  }
  if (identity.modem != mv_wire_Modem_MODEM_QUECTEL && identity.modem != mv_wire_Modem_MODEM_ESP_AT) {
    return "this microvisor does not know the modem: provision the device with another, or a newer microvisor";
  }
  if (identity.modem == mv_wire_Modem_MODEM_ESP_AT && identity.wifi_ssid.size == 0) {
    return "there is no Wi-Fi network to join: provision the device again";
  }
  return {};
}

}  // namespace

std::string_view IdentityStore::load(Flash& flash) {
  identity_ = {};
  std::array<std::uint8_t, kHeader> header;
  if (flash.read(flash_map::kIdentity.offset, header) != Flash::Result::kOk) return "the flash cannot be read";
  const std::uint32_t length = storage::load_u32(std::span(header).first<4>());
  if (length == 0xFFFFFFFF || length == 0) return "none in flash: provision the device";
  if (length > kMaxLength || !crc_matches(flash, length, storage::load_u32(std::span(header).last<4>()))) {
    return "damaged in flash: provision the device again";
  }
  Source source{flash, flash_map::kIdentity.offset + kHeader};
  pb_istream_t stream = {&read_flash, &source, length, nullptr};
  const bool decoded = pb_decode(&stream, mv_wire_Identity_fields, &identity_);
  const std::string_view problem =
      decoded ? judge(identity_) : std::string_view("not understood: provision the device again");
  if (!problem.empty()) identity_ = {};
  return problem;
}

}  // namespace mv::update
