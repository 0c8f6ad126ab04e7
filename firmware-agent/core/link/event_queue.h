// The last few events that the cloud has not been told: oldest first, and the oldest go when there are too many.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "core/link/peers.h"
#include "core/platform/ports.h"

namespace mv::link {

// Copies what fits of `text`, and ends it.
template <std::size_t kSize>
void copy_text(char (&out)[kSize], std::string_view text) {
  const std::size_t count = std::min(text.size(), kSize - 1);
  std::copy_n(text.begin(), count, out);
  out[count] = '\0';
}

class EventQueue final : public EventSink {
 public:
  static constexpr std::size_t kCapacity = 6;

  explicit EventQueue(Clock& clock) : clock_(clock) {}

  void post(std::string_view kind, std::string_view detail) override {
    if (count_ == kCapacity) pop();
    mv_wire_DeviceEvent& event = events_[(first_ + count_++) % kCapacity];
    event.uptime_us = clock_.uptime_us();
    copy_text(event.kind, kind);
    copy_text(event.detail, detail);
  }

  bool empty() const { return count_ == 0; }
  const mv_wire_DeviceEvent& front() const { return events_[first_]; }  // not if empty
  void pop() {
    first_ = (first_ + 1) % kCapacity;
    --count_;
  }

 private:
  Clock& clock_;
  std::array<mv_wire_DeviceEvent, kCapacity> events_{};
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace mv::link
