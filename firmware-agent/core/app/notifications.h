// Notification centres: rings of records in the application's memory, each with the interrupt that announces it, and
// the subscriptions that feed them (system events, network requests).
//
// The table is shared by system calls and the Secure thread, so every call runs under the lock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/app/handles.h"
#include "core/platform/guest.h"
#include "core/platform/ports.h"
#include "sdk/include/mv_syscalls.h"

namespace mv::app {

class Notifications {
 public:
  static constexpr std::size_t kCentres = 32;
  static constexpr std::uint32_t kRecord = 16;   // bytes
  static constexpr std::uint32_t kMinimum = 32;  // bytes of the smallest ring

  Notifications(GuestMemory& memory, GuestBoard& board, Clock& clock, Lock& lock)
      : memory_(memory), board_(board), clock_(clock), lock_(lock) {}

  // Opens a centre over `size` bytes of ring at `buffer`, which is cleared. kNone and `status` if refused.
  Handle open(std::uint32_t irq, std::uint32_t buffer, std::uint32_t size, MvStatus& status);
  bool close(Handle handle);
  bool valid(Handle handle);

  // Whether an open centre announces its records with `irq`.
  bool uses(std::uint32_t irq);

  // Writes a record and pends the interrupt. False if the centre is closed or its ring is no longer the application's
  // to write. A record that the application has not read by then is overwritten.
  bool post(Handle handle, MvEventType type, std::uint32_t tag);

  // The application is gone, and all its centres with it.
  void reset();

 private:
  struct Centre {
    Handle handle = Handle::kNone;
    std::uint32_t irq = 0;
    std::uint32_t buffer = 0;
    std::uint32_t size = 0;
    std::uint32_t next = 0;  // offset of the next record
  };

  Centre* find(Handle handle);
  MvStatus check(std::uint32_t irq, std::uint32_t buffer, std::uint32_t size);
  bool clear(std::uint32_t buffer, std::uint32_t size);

  GuestMemory& memory_;
  GuestBoard& board_;
  Clock& clock_;
  Lock& lock_;
  HandleMaker handles_{HandleKind::kNotifications};
  std::array<Centre, kCentres> centres_{};
};

// Who wants to be told: handles of the application that each name a centre and a tag.
template <std::size_t kCount>
class Subscriptions {
 public:
  struct Entry {
    Handle handle = Handle::kNone;
    Handle centre = Handle::kNone;
    std::uint32_t tag = 0;
    std::uint32_t source = 0;
  };

  explicit Subscriptions(HandleKind kind) : handles_(kind) {}

  Handle add(Handle centre, std::uint32_t tag, std::uint32_t source) {
    for (std::size_t i = 0; i < kCount; ++i) {
      if (entries_[i].handle != Handle::kNone) continue;
      entries_[i] = {handles_.make(i), centre, tag, source};
      return entries_[i].handle;
    }
    return Handle::kNone;
  }

  bool remove(Handle handle) {
    if (handle == Handle::kNone) return false;
    for (Entry& entry : entries_) {
      if (entry.handle != handle) continue;
      entry = {};
      return true;
    }
    return false;
  }

  bool contains(Handle handle) const {
    if (handle == Handle::kNone) return false;
    for (const Entry& entry : entries_) {
      if (entry.handle == handle) return true;
    }
    return false;
  }

  std::uint32_t count() const {
    std::uint32_t count = 0;
    for (const Entry& entry : entries_) count += entry.handle != Handle::kNone ? 1U : 0U;
    return count;
  }

  // Posts to every subscriber of `source`; true if at least one was told.
  bool post(Notifications& notifications, std::uint32_t source, MvEventType type) {
    bool told = false;
    for (const Entry& entry : entries_) {
      if (entry.handle == Handle::kNone || entry.source != source || entry.centre == Handle::kNone) continue;
      told = notifications.post(entry.centre, type, entry.tag) || told;
    }
    return told;
  }

  void reset() { entries_ = {}; }

 private:
  HandleMaker handles_;
  std::array<Entry, kCount> entries_{};
};

}  // namespace mv::app
