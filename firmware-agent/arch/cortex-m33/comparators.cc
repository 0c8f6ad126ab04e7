#include "arch/cortex-m33/comparators.h"

#include <algorithm>

namespace mv::arch {
namespace {

constexpr std::uint32_t kDwtControl = 0xe0001000;
constexpr std::uint32_t kDwtComparator = 0xe0001020;  // and every 16 bytes
constexpr std::uint32_t kDwtFunction = 0xe0001028;
constexpr std::uint32_t kFpControl = 0xe0002000;
constexpr std::uint32_t kFpComparator = 0xe0002008;
constexpr std::uint32_t kDebugStatus = 0xe000ed30;           // DFSR
constexpr std::uint32_t kMonitorControl = 0xe000edfc;        // DEMCR
constexpr std::uint32_t kAuthentication = 0xe000ee04;        // DAUTHCTRL
constexpr std::uint32_t kSelectInternal = 1, kInternal = 2;  // DAUTHCTRL.SPIDENSEL, INTSPIDEN

constexpr std::uint32_t kMonitorEnable = 1U << 16, kMonitorStep = 1U << 18, kSecureMonitor = 1U << 20;  // DEMCR
constexpr std::uint32_t kTraceEnable = 1U << 24;

constexpr std::uint32_t kFpKey = 2, kFpEnable = 1;  // FP_CTRL
constexpr std::uint32_t kFpRevision2 = 1;           // FP_CTRL.REV
constexpr std::uint32_t kFpCompare = 1;             // FP_COMP.BE

constexpr std::uint32_t kMatchLimit = 7, kMatched = 1U << 24;  // DWT_FUNCTION
constexpr std::uint32_t kAction = 3U << 4, kDebugEvent = 1U << 4;
constexpr std::uint32_t kWritable = 0xc3f;    // MATCH, ACTION, DATAVSIZE
constexpr std::uint32_t kIdLimit = 1U << 31;  // ID: can be the limit of a range
constexpr std::uint32_t kBytesOfResult = 10;  // DATAVSIZE: log2 of 1, 2, 4

std::uint32_t fp_comparator(std::size_t n) { return kFpComparator + 4 * static_cast<std::uint32_t>(n); }
std::uint32_t dwt_comparator(std::size_t n) { return kDwtComparator + 16 * static_cast<std::uint32_t>(n); }
std::uint32_t dwt_function(std::size_t n) { return kDwtFunction + 16 * static_cast<std::uint32_t>(n); }

std::uint32_t match_of(debug::WatchKind kind) {
  switch (kind) {
    case debug::WatchKind::kWrite:
      return 5;
    case debug::WatchKind::kRead:
      return 6;
    case debug::WatchKind::kAccess:
      break;
  }
  return 4;
}

bool is_single(const debug::Watchpoint& watchpoint) {
  const std::uint32_t length = watchpoint.length;
  return (length == 1 || length == 2 || length == 4) && watchpoint.address % length == 0;
}

}  // namespace

void Comparators::find() {
  breakpoint_count_ = watch_count_ = limits_ = 0;
  const std::uint32_t control = bus_.read(kFpControl);
  if (control >> 28 != kFpRevision2) return;
  bus_.write(kAuthentication, kSelectInternal | kInternal);
  if ((bus_.read(kMonitorControl) & kSecureMonitor) == 0) return;
  bus_.write(kMonitorControl, kTraceEnable);

  const std::uint32_t count = (control >> 8 & 0x70) | (control >> 4 & 0xf);  // NUM_CODE, in two parts
  for (std::size_t n = 0; n < count; ++n) bus_.write(fp_comparator(n), 0);
  breakpoint_count_ = static_cast<std::uint8_t>(std::min<std::size_t>(count, kMaxBreakpoints));
  watch_count_ = static_cast<std::uint8_t>(std::min<std::size_t>(bus_.read(kDwtControl) >> 28, kMaxWatch));
  for (std::size_t n = 0; n < watch_count_; ++n) {
    bus_.write(dwt_function(n), 0);
    if ((bus_.read(dwt_function(n)) & kIdLimit) != 0) limits_ = static_cast<std::uint8_t>(limits_ | 1U << n);
  }
  bus_.write(kFpControl, kFpKey | kFpEnable);
  bus_.write(kDebugStatus, 0x1f);
  bus_.write(kMonitorControl, kTraceEnable | kMonitorEnable);
}

bool Comparators::has_breakpoint(std::uint32_t address) const {
  return std::find(breakpoint_.begin(), breakpoint_.end(), address | kFpCompare) != breakpoint_.end();
}

bool Comparators::insert_breakpoint(std::uint32_t address) {
  if ((address & 1) != 0) return false;
  if (has_breakpoint(address)) return true;
  const auto end = breakpoint_.begin() + breakpoint_count_;
  const auto free = std::find(breakpoint_.begin(), end, 0);
  if (free == end) return false;
  *free = address | kFpCompare;
  bus_.write(fp_comparator(static_cast<std::size_t>(free - breakpoint_.begin())), *free);
  return true;
}

bool Comparators::remove_breakpoint(std::uint32_t address) {
  const auto found = std::find(breakpoint_.begin(), breakpoint_.end(), address | kFpCompare);
  if (found == breakpoint_.end()) return false;
  *found = 0;
  bus_.write(fp_comparator(static_cast<std::size_t>(found - breakpoint_.begin())), 0);
  return true;
}

bool Comparators::can_limit(std::size_t n) const { return n < watch_count_ && (limits_ >> n & 1) != 0; }

// One whose neighbour is taken is preferred, so that pairs stay free for ranges.
std::optional<std::size_t> Comparators::free_single() const {
  std::optional<std::size_t> any;
  for (std::size_t n = 0; n < watch_count_; ++n) {
    if (function_[n] != 0) continue;
    if (function_[n ^ 1] != 0) return n;
    if (!any) any = n;
  }
  return any;
}

std::optional<std::size_t> Comparators::free_pair() const {
  for (std::size_t n = 0; n + 1 < watch_count_; n += 2) {
    if (function_[n] == 0 && function_[n + 1] == 0 && can_limit(n + 1)) return n;
  }
  return std::nullopt;
}

void Comparators::write_watch(std::size_t n, std::uint32_t comparator, std::uint32_t function) {
  comparator_[n] = comparator;
  function_[n] = function;
  bus_.write(dwt_function(n), 0);  // off while the address changes
  bus_.write(dwt_comparator(n), comparator);
  bus_.write(dwt_function(n), function);
  bus_.read(dwt_function(n));  // forgets an old match
}

bool Comparators::insert_watchpoint(const debug::Watchpoint& watchpoint) {
  const std::uint32_t match = match_of(watchpoint.kind) | kDebugEvent;
  if (is_single(watchpoint)) {
    const auto n = free_single();
    if (!n) return false;
    const std::uint32_t size = watchpoint.length == 4 ? 2U : watchpoint.length - 1;  // 1, 2, 4 bytes: 0, 1, 2
    watch_[*n] = watchpoint;
    write_watch(*n, watchpoint.address, match | size << kBytesOfResult);
    return true;
  }
  const auto n = watchpoint.length != 0 ? free_pair() : std::nullopt;
  if (!n) return false;
  watch_[*n] = watchpoint;
  write_watch(*n + 1, watchpoint.address + (watchpoint.length - 1), kMatchLimit | kDebugEvent);
  write_watch(*n, watchpoint.address, match);
  return true;
}

void Comparators::remove_watchpoints() {
  for (std::size_t n = 0; n < watch_count_; ++n) {
    if (function_[n] != 0) write_watch(n, 0, 0);
  }
}

std::optional<debug::Watchpoint> Comparators::take_hit() {
  std::optional<debug::Watchpoint> hit;
  for (std::size_t n = 0; n < watch_count_; ++n) {
    if (function_[n] == 0 || (bus_.read(dwt_function(n)) & kMatched) == 0) continue;
    if ((function_[n] & 0xf) != kMatchLimit && !hit) hit = watch_[n];
  }
  return hit;
}

void Comparators::arm_step(bool armed) {
  if (armed == step_) return;
  step_ = armed;
  bus_.write(kMonitorControl, kTraceEnable | kMonitorEnable | (armed ? kMonitorStep : 0));
}

DebugStatus Comparators::take_status() {
  const std::uint32_t bits = bus_.read(kDebugStatus);
  bus_.write(kDebugStatus, bits);
  return {bits};
}

bool Comparators::put(std::uint32_t address, std::uint32_t value) {
  if (bus_.read(address) == value) return false;
  bus_.write(address, value);
  return true;
}

// DEMCR but for TRCENA is Secure state's. An application may count cycles and trace: DWT_CTRL, and comparators of its
// own that cause no debug event, are left alone.
bool Comparators::restore() {
  if (!present()) return false;
  bool changed = false;
  for (std::size_t n = 0; n < breakpoint_count_; ++n) changed |= put(fp_comparator(n), breakpoint_[n]);
  if ((bus_.read(kFpControl) & kFpEnable) == 0) {
    bus_.write(kFpControl, kFpKey | kFpEnable);
    changed = true;
  }
  if ((bus_.read(kMonitorControl) & kTraceEnable) == 0) {
    bus_.write(kMonitorControl, kTraceEnable | kMonitorEnable | (step_ ? kMonitorStep : 0));
    changed = true;
  }
  for (std::size_t n = 0; n < watch_count_; ++n) {
    const std::uint32_t function = bus_.read(dwt_function(n)) & kWritable;
    const bool same = function_[n] == 0 ? (function & kAction) != kDebugEvent
                                        : function == function_[n] && bus_.read(dwt_comparator(n)) == comparator_[n];
    if (same) continue;
    write_watch(n, comparator_[n], function_[n]);
    changed = true;
  }
  return changed;
}

}  // namespace mv::arch
