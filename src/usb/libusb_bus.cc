#include "usb/libusb_bus.h"

#include <sys/time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <utility>

#include <libusb-1.0/libusb.h>

namespace mv::usb {
namespace {

constexpr milliseconds kLook{200};
constexpr std::size_t kMostInterfaces = 64;  // alternate settings of a device that are looked at

Problem problem_of(int code) {
  switch (code) {
    case LIBUSB_ERROR_PIPE:
      return Problem::kStall;
    case LIBUSB_ERROR_TIMEOUT:
      return Problem::kTimeout;
    case LIBUSB_ERROR_NO_DEVICE:
      return Problem::kGone;
    case LIBUSB_ERROR_ACCESS:
      return Problem::kNoPermission;
    case LIBUSB_ERROR_BUSY:
      return Problem::kBusy;
    case LIBUSB_ERROR_NOT_FOUND:
      return Problem::kNotFound;
    default:
      return Problem::kOther;
  }
}

std::string sentence(Problem problem, int code) {
  switch (problem) {
    case Problem::kStall:
      return "the device refuses the request";
    case Problem::kTimeout:
      return "the device does not answer";
    case Problem::kGone:
      return "the device is gone";
    case Problem::kNoPermission:
      return "no permission to open the device";
    case Problem::kBusy:
      return "another program uses the device";
    default:
      return std::string("USB: ") + ::libusb_strerror(static_cast<libusb_error>(code));
  }
}

tl::unexpected<Error> error_of(int code) {
  const Problem problem = problem_of(code);
  return failed(problem, sentence(problem, code));
}

Expected<void> done_or(int code) {
  if (code < 0) return error_of(code);
  return {};
}

unsigned int timeout_of(milliseconds timeout) {
  return static_cast<unsigned int>(std::clamp<milliseconds::rep>(timeout.count(), 1, 3'600'000));  // 0 is for ever
}

using Handle = std::unique_ptr<libusb_device_handle, decltype(&::libusb_close)>;

class LibusbDevice final : public Device {
 public:
  explicit LibusbDevice(Handle handle) : handle_(std::move(handle)) {
    ::libusb_set_auto_detach_kernel_driver(handle_.get(), 1);
  }
  ~LibusbDevice() override {
    for (const std::uint8_t interface : claimed_) ::libusb_release_interface(handle_.get(), interface);
  }

  Expected<void> claim(std::uint8_t interface) override {
    if (std::ranges::find(claimed_, interface) != claimed_.end()) return {};
    const int code = ::libusb_claim_interface(handle_.get(), interface);
    if (code < 0) return error_of(code);
    claimed_.push_back(interface);
    return {};
  }

  Expected<void> select(std::uint8_t interface, std::uint8_t alternate) override {
    return done_or(::libusb_set_interface_alt_setting(handle_.get(), interface, alternate));
  }

  Expected<std::size_t> control_in(const Setup& setup, std::span<std::uint8_t> into, milliseconds timeout) override {
    return control(setup, into.data(), into.size(), timeout);
  }

  Expected<void> control_out(const Setup& setup, std::span<const std::uint8_t> data, milliseconds timeout) override {
    // libusb does not write to what it sends.
    const auto sent = control(setup, const_cast<std::uint8_t*>(data.data()), data.size(), timeout);
    if (!sent) return tl::make_unexpected(sent.error());
    if (*sent != data.size()) return failed(Problem::kOther, "the device took a part of the request only");
    return {};
  }

  Expected<std::size_t> bulk_in(std::uint8_t endpoint, std::span<std::uint8_t> into, milliseconds timeout) override {
    return bulk(endpoint, into.data(), into.size(), timeout);
  }

  Expected<std::size_t> bulk_out(std::uint8_t endpoint, std::span<const std::uint8_t> data,
                                 milliseconds timeout) override {
    return bulk(endpoint, const_cast<std::uint8_t*>(data.data()), data.size(), timeout);
  }

  Expected<void> clear_halt(std::uint8_t endpoint) override {
    return done_or(::libusb_clear_halt(handle_.get(), endpoint));
  }

 private:
  Expected<std::size_t> control(const Setup& setup, std::uint8_t* data, std::size_t length, milliseconds timeout) {
    if (length > 0xFFFF) return failed(Problem::kOther, "a control transfer has at most 65535 bytes");
    const int code =
        ::libusb_control_transfer(handle_.get(), setup.request_type, setup.request, setup.value, setup.index, data,
                                  static_cast<std::uint16_t>(length), timeout_of(timeout));
    if (code < 0) return error_of(code);
    return static_cast<std::size_t>(code);
  }

  Expected<std::size_t> bulk(std::uint8_t endpoint, std::uint8_t* data, std::size_t length, milliseconds timeout) {
    int moved = 0;
    const int code =
        ::libusb_bulk_transfer(handle_.get(), endpoint, data, static_cast<int>(length), &moved, timeout_of(timeout));
    if (code < 0 && !(code == LIBUSB_ERROR_TIMEOUT && moved > 0)) return error_of(code);
    return static_cast<std::size_t>(moved);
  }

  Handle handle_;
  std::vector<std::uint8_t> claimed_;
};

std::string path_of(libusb_device* device) {
  std::array<std::uint8_t, 8> ports{};
  const int count = ::libusb_get_port_numbers(device, ports.data(), static_cast<int>(ports.size()));
  std::string path = std::to_string(::libusb_get_bus_number(device)) + "-";
  for (int i = 0; i < count; ++i) path += (i == 0 ? "" : ".") + std::to_string(ports[static_cast<std::size_t>(i)]);
  return count > 0 ? path : path + "0";
}

std::string node_of(libusb_device* device) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "/dev/bus/usb/%03u/%03u", ::libusb_get_bus_number(device),
                ::libusb_get_device_address(device));
  return text.data();
}

std::string string_of(libusb_device_handle* handle, std::uint8_t index) {
  if (index == 0) return {};
  std::array<unsigned char, 256> text{};
  const int length = ::libusb_get_string_descriptor_ascii(handle, index, text.data(), static_cast<int>(text.size()));
  return length > 0 ? std::string(reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(length))
                    : std::string();
}

// Anybody may read these; what needs an open device is then missing.
std::string sysfs_string(const std::string& path, const char* name) {
  std::ifstream file("/sys/bus/usb/devices/" + path + "/" + name);
  std::string line;
  std::getline(file, line);
  return line.substr(0, 255);
}

Interface interface_of(const libusb_interface_descriptor& from) {
  Interface interface {
    from.bInterfaceNumber, from.bAlternateSetting, from.bInterfaceClass, from.bInterfaceSubClass,
        from.bInterfaceProtocol, {}, {}, {}
  };
  interface.extra.assign(from.extra, from.extra + from.extra_length);
  for (int i = 0; i < from.bNumEndpoints; ++i) {
    const libusb_endpoint_descriptor& endpoint = from.endpoint[i];
    interface.endpoints.push_back({endpoint.bEndpointAddress, endpoint.bmAttributes, endpoint.wMaxPacketSize});
  }
  return interface;
}

// Whether its strings are worth opening it: a keyboard is left alone.
bool is_of_interest(const Description& device) {
  return device.vendor == 0x0483 || std::ranges::any_of(device.interfaces, [](const Interface& interface) {
           return interface.device_class == LIBUSB_CLASS_COMM ||
                  (interface.device_class == LIBUSB_CLASS_APPLICATION && interface.subclass == 1);
         });
}

Description describe(libusb_device* device) {
  Description found;
  libusb_device_descriptor descriptor{};
  if (::libusb_get_device_descriptor(device, &descriptor) < 0) return found;
  found.vendor = descriptor.idVendor;
  found.product = descriptor.idProduct;
  found.release = descriptor.bcdDevice;
  found.path = path_of(device);
  found.node = node_of(device);
  std::vector<std::uint8_t> names;
  libusb_config_descriptor* config = nullptr;
  if (::libusb_get_config_descriptor(device, 0, &config) == 0) {
    for (int i = 0; i < config->bNumInterfaces; ++i) {
      for (int a = 0; a < config->interface[i].num_altsetting && names.size() < kMostInterfaces; ++a) {
        found.interfaces.push_back(interface_of(config->interface[i].altsetting[a]));
        names.push_back(config->interface[i].altsetting[a].iInterface);
      }
    }
    ::libusb_free_config_descriptor(config);
  }
  if (!is_of_interest(found)) return found;
  libusb_device_handle* raw = nullptr;
  if (::libusb_open(device, &raw) < 0) {
    found.may_open = false;
    found.manufacturer = sysfs_string(found.path, "manufacturer");
    found.product_name = sysfs_string(found.path, "product");
    found.serial = sysfs_string(found.path, "serial");
    return found;
  }
  const Handle handle(raw, &::libusb_close);
  found.manufacturer = string_of(raw, descriptor.iManufacturer);
  found.product_name = string_of(raw, descriptor.iProduct);
  found.serial = string_of(raw, descriptor.iSerialNumber);
  for (std::size_t i = 0; i < names.size(); ++i) found.interfaces[i].name = string_of(raw, names[i]);
  return found;
}

class LibusbBus final : public Bus {
 public:
  explicit LibusbBus(libusb_context* context) : context_(context) {
    if (::libusb_has_capability(LIBUSB_CAP_HAS_HOTPLUG) == 0) return;
    has_hotplug_ = ::libusb_hotplug_register_callback(
                       context_, LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED | LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT, 0,
                       LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY,
                       [](libusb_context*, libusb_device*, libusb_hotplug_event, void* changed) {
                         return static_cast<std::atomic<bool>*>(changed)->store(true), 0;
                       },
                       &changed_, nullptr) == LIBUSB_SUCCESS;
  }
  ~LibusbBus() override { ::libusb_exit(context_); }

  Expected<std::vector<Description>> devices() override {
    changed_ = false;
    libusb_device** list = nullptr;
    const ssize_t count = ::libusb_get_device_list(context_, &list);
    if (count < 0) return error_of(static_cast<int>(count));
    std::vector<Description> found;
    for (ssize_t i = 0; i < count; ++i) found.push_back(describe(list[i]));
    ::libusb_free_device_list(list, 1);
    return found;
  }

  Expected<std::unique_ptr<Device>> open(const Description& wanted) override {
    libusb_device** list = nullptr;
    const ssize_t count = ::libusb_get_device_list(context_, &list);
    if (count < 0) return error_of(static_cast<int>(count));
    int code = LIBUSB_ERROR_NO_DEVICE;
    libusb_device_handle* raw = nullptr;
    for (ssize_t i = 0; i < count && raw == nullptr; ++i) {
      if (node_of(list[i]) == wanted.node && path_of(list[i]) == wanted.path) code = ::libusb_open(list[i], &raw);
    }
    ::libusb_free_device_list(list, 1);
    if (raw == nullptr) return error_of(code);
    return std::make_unique<LibusbDevice>(Handle(raw, &::libusb_close));
  }

  // Events are also handled by threads that wait for transfers: they may see the change, so this one looks again.
  void wait_for_change(milliseconds timeout) override {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (!changed_.exchange(false)) {
      const auto left = std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0) break;
      timeval wait{0, static_cast<suseconds_t>(std::min(left, kLook).count() * 1000)};
      ::libusb_handle_events_timeout_completed(context_, &wait, nullptr);
      if (!has_hotplug_ && left <= kLook) break;
    }
  }

 private:
  libusb_context* context_;
  std::atomic<bool> changed_{false};
  bool has_hotplug_ = false;
};

}  // namespace

Expected<std::unique_ptr<Bus>> open_bus() {
  libusb_context* context = nullptr;
  const int code = ::libusb_init(&context);
  if (code < 0) return error_of(code);
  return std::make_unique<LibusbBus>(context);
}

}  // namespace mv::usb
