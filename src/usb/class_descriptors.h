// The class-specific descriptors that matter here: those of device firmware upgrade and of serial ports. Input is what
// a device sent, so anything.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "usb/usb_device.h"

namespace mv::usb {

// DFU functional descriptor (DFU 1.1, 4.1.3; bcdDFUVersion 0x011A: ST's extension, AN3156).
struct DfuFunction {
  std::uint8_t attributes = 0;
  std::uint16_t detach_timeout = 0;  // ms
  std::uint16_t transfer_size = 0;   // bytes of one block, at least 1
  std::uint16_t version = 0;

  bool can_download() const { return (attributes & 1) != 0; }
  bool can_upload() const { return (attributes & 2) != 0; }
  bool is_dfuse() const { return version == 0x011A; }
};

// Out of the descriptors behind an interface; none if there is no whole and plausible one.
std::optional<DfuFunction> find_dfu_function(std::span<const std::uint8_t> extra);

// A serial port: a communications interface (ACM, PSTN subclass 1.2, 3.6.2) and the data interface that belongs to it.
struct SerialFunction {
  std::uint8_t control_interface = 0;
  std::uint8_t data_interface = 0;
  std::uint8_t bulk_in = 0;
  std::uint8_t bulk_out = 0;
  std::uint16_t max_packet = 0;  // of bulk_out, at least 1
};

// Every serial port of a device. By the union descriptor; a data interface that follows counts if there is none.
std::vector<SerialFunction> find_serial_functions(std::span<const Interface> interfaces);

}  // namespace mv::usb
