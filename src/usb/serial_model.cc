#include "usb/serial_model.h"

#include <algorithm>

namespace mv::usb {
namespace {

constexpr std::uint8_t kSetLineCoding = 0x20, kSetControlLineState = 0x22;  // PSTN subclass 1.2, 6.3
constexpr std::uint8_t kBulkIn = 0x86, kBulkOut = 0x06, kNotify = 0x87;
constexpr std::uint8_t kBulk = 2, kInterrupt = 3;

// As an ST-LINK/V3 lists itself: the debug interface, then the serial port.
Description st_link(const std::string& serial, std::uint16_t product) {
  Description d;
  d.vendor = 0x0483;
  d.product = product;
  d.release = 0x0100;
  d.manufacturer = "STMicroelectronics";
  d.product_name = "STLINK-V3";
  d.serial = serial;
  d.path = "1-2";
  d.node = "/dev/bus/usb/001/003";
  Interface debug{0, 0, 0xFF, 0xFF, 0xFF, "ST-Link Debug", {}, {{0x81, kBulk, 512}, {0x01, kBulk, 512}}};
  // Header, call management, ACM capabilities, union of 1 and 2 (CDC 1.2, 5.2.3).
  Interface control{1, 0, 0x02, 0x02, 0x01, "ST-Link VCP Ctrl", {}, {{kNotify, kInterrupt, 10}}};
  control.extra = {5, 0x24, 0, 0x10, 1, 5, 0x24, 1, 0, 2, 4, 0x24, 2, 2, 5, 0x24, 6, 1, 2};
  Interface data{2, 0, 0x0A, 0, 0, "ST-Link VCP Data", {}, {{kBulkIn, kBulk, 64}, {kBulkOut, kBulk, 64}}};
  d.interfaces = {debug, control, data};
  return d;
}

}  // namespace

SerialModel::SerialModel(const std::string& serial, std::uint16_t product) : DeviceModel(st_link(serial, product)) {}

void SerialModel::plug() {
  DeviceModel::plug();
  to_host_.clear();
  from_host_.clear();
  baud = 0;
  control_lines = 0;
}

Expected<std::vector<std::uint8_t>> SerialModel::class_request(const Setup& setup, std::span<const std::uint8_t> out,
                                                               std::uint16_t) {
  if (setup.request == kSetLineCoding && out.size() == 7) {
    baud = static_cast<std::uint32_t>(out[0] | out[1] << 8 | out[2] << 16) | static_cast<std::uint32_t>(out[3]) << 24;
    return std::vector<std::uint8_t>();
  }
  if (setup.request == kSetControlLineState) {
    control_lines = setup.value;
    return std::vector<std::uint8_t>();
  }
  return failed(Problem::kStall, "the device refuses the request");
}

Expected<std::vector<std::uint8_t>> SerialModel::bulk_in(std::uint8_t endpoint, std::size_t most) {
  if (gone()) return failed(Problem::kGone, "the device is gone");
  if (endpoint != kBulkIn) return failed(Problem::kNotFound, "no such endpoint");
  const auto count = static_cast<std::ptrdiff_t>(std::min(most, to_host_.size()));
  std::vector<std::uint8_t> bytes(to_host_.begin(), to_host_.begin() + count);
  to_host_.erase(to_host_.begin(), to_host_.begin() + count);
  return bytes;
}

Expected<std::size_t> SerialModel::bulk_out(std::uint8_t endpoint, std::span<const std::uint8_t> data) {
  if (gone()) return failed(Problem::kGone, "the device is gone");
  if (endpoint != kBulkOut) return failed(Problem::kNotFound, "no such endpoint");
  if (std::exchange(stall_next_out, false)) return failed(Problem::kStall, "the endpoint is stalled");
  const std::size_t taken = std::min(data.size(), room - std::min(room, from_host_.size()));
  from_host_.insert(from_host_.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(taken));
  return taken;
}

}  // namespace mv::usb
