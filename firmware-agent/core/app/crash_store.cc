#include "core/app/crash_store.h"

#include <algorithm>

#include <pb_decode.h>
#include <pb_encode.h>

namespace mv::app {
namespace {

constexpr std::uint8_t kAcknowledgedKind = CrashStore::kKept;  // in the first store

static_assert(mv_wire_CrashReport_size <= storage::RecordStore::kMaxBytes);
// A page takes all of a store at once, with the record of what was acknowledged.
static_assert(CrashStore::kKept / 2 * (mv_wire_CrashReport_size + 2 * Flash::kQuadWord) + 2 * Flash::kQuadWord <=
              Flash::kPage);

}  // namespace

void CrashStore::mount() {
  for (storage::RecordStore& store : stores_) store.mount();
  last_ = 0;
  const auto acknowledged = stores_[0].find(kAcknowledgedKind);
  acknowledged_ = acknowledged ? acknowledged->number : 0;
  last_ = acknowledged_;
  for (std::uint8_t kind = 0; kind < kKept; ++kind) {
    if (const auto record = store_of(kind).find(kind)) last_ = std::max(last_, record->number);
  }
}

bool CrashStore::add(mv_wire_CrashReport& report) {
  report.number = last_ + 1;
  pb_ostream_t stream = pb_ostream_from_buffer(encoded_.data(), encoded_.size());
  if (!pb_encode(&stream, mv_wire_CrashReport_fields, &report)) return false;
  const std::uint8_t kind = kind_of(report.number);
  if (!store_of(kind).put(kind, report.number, std::span(encoded_).first(stream.bytes_written))) return false;
  last_ = report.number;
  return true;
}

bool CrashStore::oldest(mv_wire_CrashReport& out) {
  const std::uint32_t kept_from = last_ >= kKept ? last_ - kKept + 1 : 1;
  for (std::uint32_t number = std::max(acknowledged_ + 1, kept_from); number <= last_; ++number) {
    const std::uint8_t kind = kind_of(number);
    const auto record = store_of(kind).find(kind);
    if (!record || record->number != number) continue;
    const std::size_t size = store_of(kind).read(kind, encoded_);
    pb_istream_t stream = pb_istream_from_buffer(encoded_.data(), size);
    out = mv_wire_CrashReport_init_zero;
    if (size != 0 && pb_decode(&stream, mv_wire_CrashReport_fields, &out)) return true;
  }
  return false;
}

void CrashStore::acknowledge(std::uint32_t number) {
  if (number <= acknowledged_ || number > last_) return;
  if (stores_[0].put(kAcknowledgedKind, number)) acknowledged_ = number;
}

}  // namespace mv::app
