#include "usb/class_descriptors.h"

#include <algorithm>

namespace mv::usb {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint8_t kDfuFunctional = 0x21;
constexpr std::uint8_t kClassInterface = 0x24;  // CDC 1.2, 5.2.3
constexpr std::uint8_t kUnion = 0x06;
constexpr std::uint8_t kCommunications = 0x02;
constexpr std::uint8_t kAbstractControl = 0x02;
constexpr std::uint8_t kData = 0x0A;

std::uint16_t half(Bytes bytes, std::size_t at) { return static_cast<std::uint16_t>(bytes[at] | bytes[at + 1] << 8); }

// The first descriptor that `wanted` accepts. A length that is no length ends the search.
template <typename Wanted>
std::optional<Bytes> find_descriptor(Bytes bytes, Wanted wanted) {
  while (bytes.size() >= 2) {
    const std::size_t length = bytes[0];
    if (length < 2 || length > bytes.size()) return std::nullopt;
    if (wanted(bytes.first(length))) return bytes.first(length);
    bytes = bytes.subspan(length);
  }
  return std::nullopt;
}

std::optional<std::uint8_t> union_subordinate(Bytes extra) {
  const auto found = find_descriptor(
      extra, [](Bytes one) { return one.size() >= 5 && one[1] == kClassInterface && one[2] == kUnion; });
  return found ? std::optional((*found)[4]) : std::nullopt;
}

const Endpoint* bulk_endpoint(const Interface& interface, bool in) {
  const auto found = std::ranges::find_if(
      interface.endpoints, [&](const Endpoint& e) { return e.is_bulk() && e.is_in() == in && e.max_packet > 0; });
  return found == interface.endpoints.end() ? nullptr : &*found;
}

}  // namespace

std::optional<DfuFunction> find_dfu_function(Bytes extra) {
  const auto found = find_descriptor(extra, [](Bytes one) { return one.size() >= 7 && one[1] == kDfuFunctional; });
  if (!found) return std::nullopt;
  const Bytes bytes = *found;
  // Version 1.0 of the standard has no version field.
  const DfuFunction function{bytes[2], half(bytes, 3), half(bytes, 5),
                             bytes.size() >= 9 ? half(bytes, 7) : std::uint16_t{0x0100}};
  return function.transfer_size == 0 ? std::nullopt : std::optional(function);
}

std::vector<SerialFunction> find_serial_functions(std::span<const Interface> interfaces) {
  std::vector<SerialFunction> found;
  for (const Interface& control : interfaces) {
    if (control.device_class != kCommunications || control.subclass != kAbstractControl) continue;
    const unsigned data_number = union_subordinate(control.extra).value_or(control.number + 1U);
    for (const Interface& data : interfaces) {
      if (data.device_class != kData || data.number != data_number) continue;
      const Endpoint* in = bulk_endpoint(data, true);
      const Endpoint* out = bulk_endpoint(data, false);
      if (in == nullptr || out == nullptr) continue;
      found.push_back({control.number, data.number, in->address, out->address, out->max_packet});
      break;
    }
  }
  return found;
}

}  // namespace mv::usb
