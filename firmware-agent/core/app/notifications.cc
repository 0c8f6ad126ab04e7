#include "core/app/notifications.h"

#include <algorithm>
#include <cstring>

namespace mv::app {
namespace {

constexpr std::uint32_t kAlignment = 8;  // of a ring: a record begins with a 64-bit number

// A record as the application sees it (struct MvNotification).
struct Record {
  std::uint64_t microseconds;
  std::uint32_t event_type;
  std::uint32_t tag;
};
static_assert(sizeof(Record) == Notifications::kRecord);

}  // namespace

Notifications::Centre* Notifications::find(Handle handle) {
  if (handle == Handle::kNone) return nullptr;
  const auto found = std::ranges::find(centres_, handle, &Centre::handle);
  return found == centres_.end() ? nullptr : &*found;
}

bool Notifications::valid(Handle handle) {
  const LockGuard guard(lock_);
  return find(handle) != nullptr;
}

bool Notifications::uses(std::uint32_t irq) {
  const LockGuard guard(lock_);
  return std::ranges::any_of(
      centres_, [irq](const Centre& centre) { return centre.handle != Handle::kNone && centre.irq == irq; });
}

MvStatus Notifications::check(std::uint32_t irq, std::uint32_t buffer, std::uint32_t size) {
  if (size < kMinimum || size % kRecord != 0) return MV_STATUS_INVALIDBUFFERSIZE;
  if (buffer % kAlignment != 0) return MV_STATUS_INVALIDBUFFERALIGNMENT;
  if (!memory_.writable(buffer, size)) return MV_STATUS_PARAMETERFAULT;
  if (!board_.owns_interrupt(irq)) return MV_STATUS_INVALIDINTERRUPT;
  for (const Centre& centre : centres_) {
    if (centre.handle == Handle::kNone) continue;
    if (centre.irq == irq) return MV_STATUS_INVALIDINTERRUPT;
    if (buffer < centre.buffer + centre.size && centre.buffer < buffer + size) return MV_STATUS_BUFFERALREADYINUSE;
  }
  return MV_STATUS_OKAY;
}

bool Notifications::clear(std::uint32_t buffer, std::uint32_t size) {
  const std::array<std::uint8_t, kRecord> empty{};
  for (std::uint32_t at = 0; at < size; at += kRecord) {
    if (!memory_.copy_out(buffer + at, empty)) return false;
  }
  return true;
}

Handle Notifications::open(std::uint32_t irq, std::uint32_t buffer, std::uint32_t size, MvStatus& status) {
  const LockGuard guard(lock_);
  status = check(irq, buffer, size);
  if (status != MV_STATUS_OKAY) return Handle::kNone;
  const auto free = std::ranges::find(centres_, Handle::kNone, &Centre::handle);
  if (free == centres_.end()) {
    status = MV_STATUS_TOOMANYNOTIFICATIONBUFFERS;
    return Handle::kNone;
  }
  if (!clear(buffer, size)) {
    status = MV_STATUS_PARAMETERFAULT;
    return Handle::kNone;
  }
  *free = {handles_.make(static_cast<std::size_t>(free - centres_.begin())), irq, buffer, size, 0};
  return free->handle;
}

bool Notifications::close(Handle handle) {
  const LockGuard guard(lock_);
  Centre* centre = find(handle);
  if (centre == nullptr) return false;
  *centre = {};
  return true;
}

bool Notifications::post(Handle handle, MvEventType type, std::uint32_t tag) {
  const LockGuard guard(lock_);
  Centre* centre = find(handle);
  if (centre == nullptr) return false;
  const Record record = {clock_.uptime_us(), static_cast<std::uint32_t>(type), tag};
  std::array<std::uint8_t, kRecord> bytes;
  std::memcpy(bytes.data(), &record, bytes.size());
  if (!memory_.deliver(centre->buffer + centre->next, bytes)) return false;
  centre->next = (centre->next + kRecord) % centre->size;
  board_.pend_interrupt(centre->irq);
  return true;
}

void Notifications::reset() {
  const LockGuard guard(lock_);
  centres_ = {};
}

}  // namespace mv::app
