#include "arch/cortex-m33/memory_watch.h"

#include <algorithm>

#include "arch/cortex-m33/critical_section.h"
#include "arch/cortex-m33/registers.h"

namespace mv::arch {

constinit MemoryWatch memory_watch;

namespace {

constexpr std::uint32_t kGranule = 32;
constexpr std::uint32_t kEnabled = 1;  // SAU_RLAR.ENABLE

// The attribution is looked up for an access' first byte only (QEMU 7.2), and the longest access that is not split into
// words has eight. It also keeps LDRD, whose first load may change the base of the second, in one piece.
constexpr std::uint32_t kLongestAccess = 8;

// A write that changes nothing is left out: each empties QEMU's table of translations.
void set(std::uint32_t address, std::uint32_t value) {
  if (reg32(address) != value) reg32(address) = value;
}

}  // namespace

void MemoryWatch::use_regions(std::uint32_t first, std::uint32_t count) {
  first_region_ = first;
  region_count_ = std::min<std::uint32_t>(count, kMaxRegions);
}

bool MemoryWatch::close(std::uint32_t address, std::uint32_t length, std::uint32_t lowest) {
  const InterruptsOff guard;
  if (!closed_) count_ = 0;
  if (count_ == region_count_) return false;
  const std::uint32_t first = (address - (kLongestAccess - 1)) & ~(kGranule - 1);
  ranges_[count_++] = {std::max(first, lowest), (address + length - 1) | (kGranule - 1)};
  closed_ = true;
  apply();
  return true;
}

void MemoryWatch::open_all() {
  const InterruptsOff guard;
  if (!closed_) return;
  closed_ = false;
  apply();
}

bool MemoryWatch::covers(std::uint32_t address, std::uint32_t size) const {
  return std::any_of(ranges_.begin(), ranges_.begin() + count_,
                     [&](const Range& range) { return address <= range.last && range.first <= address + (size - 1); });
}

// With interrupts off: the number selects the region for the two registers after it. A region is off while its base
// changes.
void MemoryWatch::apply() const {
  const bool closes = closed_ && openings_ == 0;
  for (std::uint32_t i = 0; i < count_; ++i) {
    reg32(kSauRegionNumber) = first_region_ + i;
    if (!closes || reg32(kSauBase) != ranges_[i].first) set(kSauLimit, 0);
    if (!closes) continue;
    set(kSauBase, ranges_[i].first);
    set(kSauLimit, (ranges_[i].last & ~(kGranule - 1)) | kEnabled);
  }
  barrier();
}

MemoryWatch::Opening::Opening() {
  const InterruptsOff guard;
  if (memory_watch.openings_++ == 0 && memory_watch.closed_) memory_watch.apply();
}

MemoryWatch::Opening::~Opening() {
  const InterruptsOff guard;
  if (--memory_watch.openings_ == 0 && memory_watch.closed_) memory_watch.apply();
}

}  // namespace mv::arch
