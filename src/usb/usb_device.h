// A USB device as the rest of this folder sees it: what it says of itself, and transfers with time-outs.
//
// `Bus` and `Device` are the seam to libusb (libusb_bus.h); tests put fake_bus.h behind it. All calls block. Transfers
// of one device may be made from several threads, one thread for each direction of an endpoint.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace mv::usb {

using std::chrono::milliseconds;

enum class Problem : std::uint8_t {
  kStall,         // the device does not take this request (USB 2.0, 8.5.3.4)
  kTimeout,       // nothing moved in time
  kGone,          // unplugged, or it left the bus by itself
  kNoPermission,  // the device's node may not be opened by this user
  kBusy,          // another program has it
  kNotFound,      // no such device, interface or endpoint
  kBadReply,      // it answers, but not with what the protocol says
  kRefused,       // it understood, tried, and says why not
  kMismatch,      // what is read back is not what was written
  kInterrupted,   // the user ended it
  kOther,
};

struct Error {
  Problem problem = Problem::kOther;
  std::string text;  // a sentence: lower case, no full stop
};

template <typename T>
using Expected = tl::expected<T, Error>;

inline tl::unexpected<Error> failed(Problem problem, std::string text) {
  return tl::make_unexpected(Error{problem, std::move(text)});
}

// The fields of a SETUP packet but its length (USB 2.0, 9.3).
struct Setup {
  std::uint8_t request_type = 0;
  std::uint8_t request = 0;
  std::uint16_t value = 0;
  std::uint16_t index = 0;
};

struct Endpoint {
  std::uint8_t address = 0;     // bit 7: towards the host
  std::uint8_t attributes = 0;  // bits 0 and 1: 2 is bulk
  std::uint16_t max_packet = 0;

  bool is_in() const { return (address & 0x80) != 0; }
  bool is_bulk() const { return (attributes & 3) == 2; }
};

// One alternate setting of an interface.
struct Interface {
  std::uint8_t number = 0;
  std::uint8_t alternate = 0;
  std::uint8_t device_class = 0;
  std::uint8_t subclass = 0;
  std::uint8_t protocol = 0;
  std::string name;                 // its string descriptor; empty if there is none or it could not be read
  std::vector<std::uint8_t> extra;  // class-specific descriptors behind it, as the device sent them
  std::vector<Endpoint> endpoints;
};

// What a device says of itself. Nothing here is trusted: any device can be plugged in.
struct Description {
  std::uint16_t vendor = 0;
  std::uint16_t product = 0;
  std::uint16_t release = 0;  // bcdDevice
  std::string manufacturer;
  std::string product_name;
  std::string serial;  // empty if it has none
  std::string path;    // "1-1.4": bus and ports, the same as long as it stays in its socket
  std::string node;    // "/dev/bus/usb/001/004"
  std::vector<Interface> interfaces;
  bool may_open = true;  // false: this user has no permission, so that names are missing
};

// An open device. Closing it (by destroying it) releases what was claimed and gives interfaces back to the kernel.
class Device {
 public:
  virtual ~Device() = default;

  // Takes an interface for this program, away from a driver of the kernel if one has it.
  // Errors: kBusy, kNotFound, kGone, kOther.
  virtual Expected<void> claim(std::uint8_t interface) = 0;

  // Selects an alternate setting of a claimed interface. Errors: kNotFound, kGone, kOther.
  virtual Expected<void> select(std::uint8_t interface, std::uint8_t alternate) = 0;

  // Control transfers on endpoint 0. The device may send less than `into` has room for: the length that came.
  // Errors of these four: kStall, kTimeout, kGone, kOther.
  virtual Expected<std::size_t> control_in(const Setup& setup, std::span<std::uint8_t> into, milliseconds timeout) = 0;
  virtual Expected<void> control_out(const Setup& setup, std::span<const std::uint8_t> data, milliseconds timeout) = 0;

  // Bulk transfers, at least one packet long. A time-out after some bytes returns them.
  virtual Expected<std::size_t> bulk_in(std::uint8_t endpoint, std::span<std::uint8_t> into, milliseconds timeout) = 0;
  virtual Expected<std::size_t> bulk_out(std::uint8_t endpoint, std::span<const std::uint8_t> data,
                                         milliseconds timeout) = 0;

  // Takes an endpoint out of its stall. Errors: kNotFound, kGone, kOther.
  virtual Expected<void> clear_halt(std::uint8_t endpoint) = 0;
};

class Bus {
 public:
  virtual ~Bus() = default;

  // Everything that is plugged in now. Errors: kOther.
  virtual Expected<std::vector<Description>> devices() = 0;

  // Opens a device of that list. Errors: kNoPermission, kGone, kBusy, kOther.
  virtual Expected<std::unique_ptr<Device>> open(const Description& device) = 0;

  // Waits until something was plugged in or out since the last call of this or of `devices`, or the time is over.
  virtual void wait_for_change(milliseconds timeout) = 0;
};

}  // namespace mv::usb
