// A USB device that is a program: for unit tests (fake_bus.h) and behind umockdev (tests/usb/usb_mock.cc).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "usb/usb_device.h"

namespace mv::usb {

class DeviceModel {
 public:
  virtual ~DeviceModel() = default;

  const Description& description() const { return description_; }
  Description& description() { return description_; }

  // Unplugged: every transfer fails with kGone until `plug`.
  bool gone() const { return gone_; }
  void unplug() { gone_ = true; }
  virtual void plug() { gone_ = false; }

  // A whole control transfer, standard requests too. `length` bytes at most come back.
  Expected<std::vector<std::uint8_t>> control(const Setup& setup, std::span<const std::uint8_t> out,
                                              std::uint16_t length);

  virtual void select(std::uint8_t interface, std::uint8_t alternate);

  // Nothing there to read is no error: an empty answer.
  virtual Expected<std::vector<std::uint8_t>> bulk_in(std::uint8_t endpoint, std::size_t most);
  virtual Expected<std::size_t> bulk_out(std::uint8_t endpoint, std::span<const std::uint8_t> data);

  // The descriptors as a device sends them (USB 2.0, 9.6), made from the description.
  std::vector<std::uint8_t> device_descriptor() const;
  std::vector<std::uint8_t> configuration_descriptor() const;

 protected:
  explicit DeviceModel(Description description) : description_(std::move(description)) {}

  // Class requests. A refused one is kStall.
  virtual Expected<std::vector<std::uint8_t>> class_request(const Setup& setup, std::span<const std::uint8_t> out,
                                                            std::uint16_t length) = 0;

 private:
  Expected<std::vector<std::uint8_t>> descriptor(std::uint16_t which) const;
  std::string string(std::size_t index) const;

  Description description_;
  bool gone_ = false;
};

}  // namespace mv::usb
