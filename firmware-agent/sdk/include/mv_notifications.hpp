// Notifications without their traps: a ring that is read in order, cleared behind the reader, and tells of overruns.
//
//   mv::Notifications<8> events;
//   events.open(irq);                                // then enable the interrupt in the NVIC
//   while (const auto event = events.take()) ...     // in its handler, or in the main loop
//
// Owns its ring, so it may be neither copied nor moved, and should live as long as the application: it closes itself when
// it ends. No dynamic memory. One reader: `take` is for one context only, the handler or a thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "mv_syscalls.h"

namespace mv {

// The reader's side of a ring that the microvisor writes. It writes record after record, does not look whether one was
// read, and begins anew at the end: after an overrun a newer record stands where an older is expected.
template <std::size_t kRecords>
class NotificationRing {
 public:
  static_assert(kRecords >= 2, "the microvisor wants two records at least");

  NotificationRing() = default;
  NotificationRing(const NotificationRing&) = delete;
  NotificationRing& operator=(const NotificationRing&) = delete;

  // The oldest record that was not taken yet, and frees its place.
  std::optional<MvNotification> take() {
    const std::size_t at = oldest();
    volatile MvNotification& place = records_[at];
    MvNotification record{};
    record.event_type = place.event_type;
    if (record.event_type == MV_EVENTTYPE_NOEVENT) return std::nullopt;
    record.microseconds = place.microseconds;
    record.tag = place.tag;
    place.event_type = MV_EVENTTYPE_NOEVENT;
    if (at != next_) ++overruns_;
    next_ = (at + 1) % kRecords;
    return record;
  }

  // How often the oldest record was not where it was expected: others were lost each time. A larger ring loses none.
  std::uint32_t overruns() const { return overruns_; }

  // For whoever writes: its first record and its size in bytes.
  MvNotification* data() { return const_cast<MvNotification*>(records_); }
  static constexpr std::uint32_t size() { return sizeof(MvNotification) * kRecords; }

  // As the microvisor leaves it when it is opened.
  void clear() {
    for (volatile MvNotification& record : records_) record.event_type = MV_EVENTTYPE_NOEVENT;
    next_ = 0;
  }

 private:
  // Where the oldest record is; `next_` if there is none. After an overrun that is not where the reader left off.
  std::size_t oldest() const {
    std::size_t found = next_;
    for (std::size_t i = 0; i < kRecords; ++i) {
      const std::size_t at = (next_ + i) % kRecords;
      if (records_[at].event_type == MV_EVENTTYPE_NOEVENT) continue;
      const bool first = records_[found].event_type == MV_EVENTTYPE_NOEVENT;
      if (first || records_[at].microseconds < records_[found].microseconds) found = at;
    }
    return found;
  }

  alignas(8) volatile MvNotification records_[kRecords] = {};
  std::size_t next_ = 0;
  std::uint32_t overruns_ = 0;
};

template <std::size_t kRecords>
class Notifications {
 public:
  Notifications() = default;
  ~Notifications() { close(); }

  // `irq`: an external interrupt of the application's that nothing else uses. Again only after `close`: UNAVAILABLE.
  MvStatus open(std::uint32_t irq) {
    if (handle_ != nullptr) return MV_STATUS_UNAVAILABLE;
    ring_.clear();
    const MvNotificationSetup setup = {irq, ring_.data(), ring_.size()};
    return mvSetupNotifications(&setup, &handle_);
  }

  MvStatus close() { return handle_ == nullptr ? MV_STATUS_OKAY : mvCloseNotifications(&handle_); }

  // For what is opened with it: channels, network, system events. Null while it is closed.
  MvNotificationHandle handle() const { return handle_; }

  std::optional<MvNotification> take() { return ring_.take(); }
  std::uint32_t overruns() const { return ring_.overruns(); }

 private:
  NotificationRing<kRecords> ring_;
  MvNotificationHandle handle_ = nullptr;
};

}  // namespace mv
