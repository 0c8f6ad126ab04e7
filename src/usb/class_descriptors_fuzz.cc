// Fuzz target: whatever a device sends for its class-specific descriptors, what is found in them is usable.
//
// The input is cut into interfaces: number, class, subclass, length of the descriptors, endpoint's address;
// descriptors.
#include <cstdint>
#include <cstdlib>

#include "usb/board.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::span<const std::uint8_t> rest(data, size);
  mv::usb::Description device;
  device.vendor = mv::usb::kStVendor;
  while (rest.size() >= 5) {
    mv::usb::Interface interface {
      rest[0], 0, rest[1], rest[2], 2, {}, {}, {
        {rest[4], 2, rest[3]}, { 0x01, 2, 64 }
      }
    };
    const auto extra = rest.subspan(5, std::min<std::size_t>(rest[3], rest.size() - 5));
    interface.extra.assign(extra.begin(), extra.end());
    interface.name.assign(extra.begin(), extra.end());
    device.interfaces.push_back(interface);
    const auto function = mv::usb::find_dfu_function(extra);
    if (function && function->transfer_size == 0) std::abort();
    rest = rest.subspan(5 + extra.size());
  }
  for (const auto& port : mv::usb::find_serial_functions(device.interfaces)) {
    if (port.max_packet == 0 || (port.bulk_in & 0x80) == 0 || (port.bulk_out & 0x80) != 0) std::abort();
  }
  mv::usb::find_boards({device});
  return 0;
}
