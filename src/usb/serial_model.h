// A USB serial port as a model (CDC-ACM, as an ST-LINK has one): bytes in, bytes out, line settings remembered.
#pragma once

#include <deque>

#include "usb/device_model.h"

namespace mv::usb {

class SerialModel final : public DeviceModel {
 public:
  static constexpr std::uint16_t kMaxPacket = 64;

  explicit SerialModel(const std::string& serial, std::uint16_t product = 0x374E);

  void from_board(std::span<const std::uint8_t> bytes) { to_host_.insert(to_host_.end(), bytes.begin(), bytes.end()); }
  std::vector<std::uint8_t> take_from_host() { return std::exchange(from_host_, {}); }

  // Bytes that the device takes before it makes the host wait; and what it was told of the line.
  std::size_t room = 4096;
  std::uint32_t baud = 0;
  std::uint16_t control_lines = 0;
  bool stall_next_out = false;

  void plug() override;
  Expected<std::vector<std::uint8_t>> bulk_in(std::uint8_t endpoint, std::size_t most) override;
  Expected<std::size_t> bulk_out(std::uint8_t endpoint, std::span<const std::uint8_t> data) override;

 private:
  Expected<std::vector<std::uint8_t>> class_request(const Setup& setup, std::span<const std::uint8_t> out,
                                                    std::uint16_t length) override;

  std::deque<std::uint8_t> to_host_;
  std::vector<std::uint8_t> from_host_;
};

}  // namespace mv::usb
