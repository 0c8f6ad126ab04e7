// A bus of device models, for unit tests. Thread-safe: a serial line reads and writes from two threads.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "usb/device_model.h"
#include "usb/usb_device.h"

namespace mv::usb {

class FakeBus final : public Bus {
 public:
  // The models outlive the bus and what it opened.
  void add(DeviceModel& model) { models_.push_back(&model); }

  // Runs `change` (unplug, plug, bytes from the board) while no transfer runs, and wakes whoever waits.
  template <typename Change>
  void change(Change change) {
    const std::lock_guard lock(mutex_);
    change();
    changed_ = true;
    wake_.notify_all();
  }

  Expected<std::vector<Description>> devices() override;
  Expected<std::unique_ptr<Device>> open(const Description& device) override;
  void wait_for_change(milliseconds timeout) override;

 private:
  friend class FakeDevice;

  std::vector<DeviceModel*> models_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool changed_ = false;
};

}  // namespace mv::usb
