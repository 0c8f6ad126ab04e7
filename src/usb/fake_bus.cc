#include "usb/fake_bus.h"

#include <algorithm>

namespace mv::usb {

class FakeDevice final : public Device {
 public:
  FakeDevice(FakeBus& bus, DeviceModel& model) : bus_(bus), model_(model) {}

  Expected<void> claim(std::uint8_t interface) override {
    const std::lock_guard lock(bus_.mutex_);
    if (model_.gone()) return failed(Problem::kGone, "the device is gone");
    const auto& interfaces = model_.description().interfaces;
    const bool known = std::ranges::find(interfaces, interface, &Interface::number) != interfaces.end();
    if (!known) return failed(Problem::kNotFound, "no such interface");
    return {};
  }

  Expected<void> select(std::uint8_t interface, std::uint8_t alternate) override {
    const std::lock_guard lock(bus_.mutex_);
    if (model_.gone()) return failed(Problem::kGone, "the device is gone");
    model_.select(interface, alternate);
    return {};
  }

  Expected<std::size_t> control_in(const Setup& setup, std::span<std::uint8_t> into, milliseconds) override {
    const std::lock_guard lock(bus_.mutex_);
    const auto answer = model_.control(setup, {}, static_cast<std::uint16_t>(into.size()));
    if (!answer) return tl::make_unexpected(answer.error());
    std::ranges::copy(*answer, into.begin());
    return answer->size();
  }

  Expected<void> control_out(const Setup& setup, std::span<const std::uint8_t> data, milliseconds) override {
    const std::lock_guard lock(bus_.mutex_);
    const auto answer = model_.control(setup, data, 0);
    if (!answer) return tl::make_unexpected(answer.error());
    return {};
  }

  Expected<std::size_t> bulk_in(std::uint8_t endpoint, std::span<std::uint8_t> into, milliseconds timeout) override {
    std::unique_lock lock(bus_.mutex_);
    Expected<std::vector<std::uint8_t>> bytes;
    const bool there = bus_.wake_.wait_for(lock, timeout, [&] {
      bytes = model_.bulk_in(endpoint, into.size());
      return !bytes || !bytes->empty();
    });
    if (!bytes) return tl::make_unexpected(bytes.error());
    if (!there) return failed(Problem::kTimeout, "the device does not answer");
    std::ranges::copy(*bytes, into.begin());
    return bytes->size();
  }

  Expected<std::size_t> bulk_out(std::uint8_t endpoint, std::span<const std::uint8_t> data,
                                 milliseconds timeout) override {
    std::unique_lock lock(bus_.mutex_);
    Expected<std::size_t> taken;
    const bool there = bus_.wake_.wait_for(lock, timeout, [&] {
      taken = model_.bulk_out(endpoint, data);
      return !taken || *taken > 0;
    });
    if (taken && !there) return failed(Problem::kTimeout, "the device does not answer");
    return taken;
  }

  Expected<void> clear_halt(std::uint8_t) override {
    if (model_.gone()) return failed(Problem::kGone, "the device is gone");
    return {};
  }

 private:
  FakeBus& bus_;
  DeviceModel& model_;
};

Expected<std::vector<Description>> FakeBus::devices() {
  const std::lock_guard lock(mutex_);
  changed_ = false;
  std::vector<Description> found;
  for (const DeviceModel* model : models_) {
    if (!model->gone()) found.push_back(model->description());
  }
  return found;
}

Expected<std::unique_ptr<Device>> FakeBus::open(const Description& device) {
  const std::lock_guard lock(mutex_);
  if (!device.may_open) return failed(Problem::kNoPermission, "no permission to open the device");
  for (DeviceModel* model : models_) {
    if (!model->gone() && model->description().path == device.path) return std::make_unique<FakeDevice>(*this, *model);
  }
  return failed(Problem::kGone, "the device is gone");
}

void FakeBus::wait_for_change(milliseconds timeout) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, timeout, [&] { return changed_; });
  changed_ = false;
}

}  // namespace mv::usb
