#include "core/app/crash_store.h"

#include <algorithm>

#include <pb_decode.h>
#include <pb_encode.h>

namespace mv::app {
namespace {

constexpr std::uint8_t kAcknowledgedKind = CrashStore::kKept;  // crash n has kind n % kKept

static_assert(mv_wire_CrashReport_size <= storage::RecordStore::kMaxBytes);
// A page takes all of them at once, with the record of what was acknowledged.
static_assert(CrashStore::kKept * (mv_wire_CrashReport_size + 2 * Flash::kQuadWord) + 2 * Flash::kQuadWord <=
              Flash::kPage);

std::uint8_t kind_of(std::uint32_t number) { return static_cast<std::uint8_t>(number % CrashStore::kKept); }

}  // namespace

void CrashStore::mount() {
  records_.mount();
  last_ = 0;
  const auto acknowledged = records_.find(kAcknowledgedKind);
  acknowledged_ = acknowledged ? acknowledged->number : 0;
  last_ = acknowledged_;
  for (std::uint8_t kind = 0; kind < kKept; ++kind) {
    if (const auto record = records_.find(kind)) last_ = std::max(last_, record->number);
  }
}

bool CrashStore::add(mv_wire_CrashReport& report) {
  report.number = last_ + 1;
  pb_ostream_t stream = pb_ostream_from_buffer(encoded_.data(), encoded_.size());
  if (!pb_encode(&stream, mv_wire_CrashReport_fields, &report)) return false;
  if (!records_.put(kind_of(report.number), report.number, std::span(encoded_).first(stream.bytes_written)))
    return false;
  last_ = report.number;
  return true;
}

bool CrashStore::oldest(mv_wire_CrashReport& out) {
  const std::uint32_t kept_from = last_ >= kKept ? last_ - kKept + 1 : 1;
  for (std::uint32_t number = std::max(acknowledged_ + 1, kept_from); number <= last_; ++number) {
    const auto record = records_.find(kind_of(number));
    if (!record || record->number != number) continue;
    const std::size_t size = records_.read(kind_of(number), encoded_);
    pb_istream_t stream = pb_istream_from_buffer(encoded_.data(), size);
    out = mv_wire_CrashReport_init_zero;
    if (size != 0 && pb_decode(&stream, mv_wire_CrashReport_fields, &out)) return true;
  }
  return false;
}

void CrashStore::acknowledge(std::uint32_t number) {
  if (number <= acknowledged_ || number > last_) return;
  if (records_.put(kAcknowledgedKind, number)) acknowledged_ = number;
}

}  // namespace mv::app
