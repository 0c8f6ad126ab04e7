#include "usb/device_model.h"

namespace mv::usb {
namespace {

constexpr std::uint8_t kDirectionIn = 0x80;
constexpr std::uint8_t kTypeMask = 0x60;
constexpr std::uint8_t kGetDescriptor = 6;
constexpr std::uint8_t kGetConfiguration = 8;
constexpr std::uint8_t kDevice = 1, kConfiguration = 2, kString = 3, kInterface = 4, kEndpoint = 5;
// String 0 says which languages there are; the interfaces' names follow these three.
constexpr std::uint8_t kManufacturer = 1, kProduct = 2, kSerial = 3, kFirstInterface = 4;

void add_half(std::vector<std::uint8_t>& to, std::size_t value) {
  to.push_back(static_cast<std::uint8_t>(value));
  to.push_back(static_cast<std::uint8_t>(value >> 8));
}

std::uint8_t index_if(const std::string& text, std::size_t index) {
  return text.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(index);
}

}  // namespace

std::vector<std::uint8_t> DeviceModel::device_descriptor() const {
  std::vector<std::uint8_t> bytes = {18, kDevice, 0x00, 0x02, 0, 0, 0, 64};
  add_half(bytes, description_.vendor);
  add_half(bytes, description_.product);
  add_half(bytes, description_.release);
  bytes.push_back(index_if(description_.manufacturer, kManufacturer));
  bytes.push_back(index_if(description_.product_name, kProduct));
  bytes.push_back(index_if(description_.serial, kSerial));
  bytes.push_back(1);
  return bytes;
}

std::vector<std::uint8_t> DeviceModel::configuration_descriptor() const {
  std::vector<std::uint8_t> body;
  std::uint8_t interfaces = 0;
  for (std::size_t i = 0; i < description_.interfaces.size(); ++i) {
    const Interface& one = description_.interfaces[i];
    if (one.alternate == 0) ++interfaces;
    body.insert(body.end(), {9, kInterface, one.number, one.alternate, static_cast<std::uint8_t>(one.endpoints.size()),
                             one.device_class, one.subclass, one.protocol, index_if(one.name, kFirstInterface + i)});
    body.insert(body.end(), one.extra.begin(), one.extra.end());
    for (const Endpoint& endpoint : one.endpoints) {
      body.insert(body.end(), {7, kEndpoint, endpoint.address, endpoint.attributes});
      add_half(body, endpoint.max_packet);
      body.push_back(0);
    }
  }
  std::vector<std::uint8_t> bytes = {9, kConfiguration};
  add_half(bytes, body.size() + 9);
  bytes.insert(bytes.end(), {interfaces, 1, 0, 0x80, 50});
  bytes.insert(bytes.end(), body.begin(), body.end());
  return bytes;
}

std::string DeviceModel::string(std::size_t index) const {
  if (index == kManufacturer) return description_.manufacturer;
  if (index == kProduct) return description_.product_name;
  if (index == kSerial) return description_.serial;
  const std::size_t at = index - kFirstInterface;
  return index >= kFirstInterface && at < description_.interfaces.size() ? description_.interfaces[at].name : "";
}

Expected<std::vector<std::uint8_t>> DeviceModel::descriptor(std::uint16_t which) const {
  const auto type = static_cast<std::uint8_t>(which >> 8);
  const auto index = static_cast<std::uint8_t>(which);
  if (type == kDevice) return device_descriptor();
  if (type == kConfiguration) return configuration_descriptor();
  if (type != kString) return failed(Problem::kStall, "no such descriptor");
  std::vector<std::uint8_t> bytes = {0, kString};
  if (index == 0) {
    add_half(bytes, 0x0409);
  } else {
    for (const char c : string(index)) add_half(bytes, static_cast<std::uint8_t>(c));
  }
  bytes[0] = static_cast<std::uint8_t>(bytes.size());
  return bytes;
}

Expected<std::vector<std::uint8_t>> DeviceModel::control(const Setup& setup, std::span<const std::uint8_t> out,
                                                         std::uint16_t length) {
  if (gone_) return failed(Problem::kGone, "the device is gone");
  Expected<std::vector<std::uint8_t>> answer;
  if ((setup.request_type & kTypeMask) != 0) {
    answer = class_request(setup, out, length);
  } else if (setup.request == kGetDescriptor && (setup.request_type & kDirectionIn) != 0) {
    answer = descriptor(setup.value);
  } else if (setup.request == kGetConfiguration) {
    answer = std::vector<std::uint8_t>{1};
  }
  if (answer && answer->size() > length) answer->resize(length);
  return answer;
}

void DeviceModel::select(std::uint8_t, std::uint8_t) {}

Expected<std::vector<std::uint8_t>> DeviceModel::bulk_in(std::uint8_t, std::size_t) {
  return failed(Problem::kNotFound, "no such endpoint");
}

Expected<std::size_t> DeviceModel::bulk_out(std::uint8_t, std::span<const std::uint8_t>) {
  return failed(Problem::kNotFound, "no such endpoint");
}

}  // namespace mv::usb
