// The host's side of ST's boot loader protocol: DFU 1.1 with ST's commands to set an address and to erase.
//
// Knows no board: it moves bytes between one memory (an alternate setting) and the caller, and says what the device
// says when it refuses. Every wait is bounded, whatever the device claims to need. Source: AN3156; USB DFU 1.1.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "usb/board.h"
#include "usb/usb_device.h"

namespace mv::usb {

// bStatus (DFU 1.1, 6.1.2), as "errTARGET: the address is not within the memory". A number that is none of them too.
std::string describe_dfu_status(std::uint8_t status);

// How time passes: a test's does not.
using Wait = std::function<void(milliseconds)>;

// Called between blocks with the bytes done so far; false ends the work (kInterrupted).
using OnBytes = std::function<bool(std::uint64_t done)>;

class DfuSe {
 public:
  // Takes the interface, selects the memory and brings the device to dfuIDLE. `device` outlives it.
  //
  // Errors: kBadReply (no DfuSe descriptor, or states that make no sense), kBusy, and those of transfers.
  static Expected<DfuSe> open(Device& device, const Board& board, const DfuMemory& memory, Wait wait);

  // The sector that holds `address`. Errors: kRefused, kTimeout (busy for too long), and those of transfers.
  Expected<void> erase(std::uint32_t address);

  // `address` on, as many bytes as there are: erased before, in whole quad-words. Errors: as `erase`, and kInterrupted.
  Expected<void> write(std::uint32_t address, std::span<const std::uint8_t> data, const OnBytes& progress);

  // Fills `into`. Errors: as `write`, and kBadReply (fewer bytes than asked for).
  Expected<void> read(std::uint32_t address, std::span<std::uint8_t> into, const OnBytes& progress);

 private:
  struct Status {
    std::uint8_t status = 0;
    milliseconds poll{0};
    std::uint8_t state = 0;
  };

  DfuSe(Device& device, std::uint8_t interface, std::uint16_t transfer_size, Wait wait)
      : device_(&device), interface_(interface), transfer_size_(transfer_size), wait_(std::move(wait)) {}

  Expected<Status> status();
  Expected<void> go_idle();
  Expected<void> set_address(std::uint32_t address);
  Expected<void> command(std::uint8_t code, std::uint32_t address);
  Expected<void> download(std::uint16_t block, std::span<const std::uint8_t> data);
  Expected<void> finish_download();
  Expected<void> request(std::uint8_t code);

  Device* device_;
  std::uint8_t interface_;
  std::uint16_t transfer_size_;
  Wait wait_;
};

}  // namespace mv::usb
