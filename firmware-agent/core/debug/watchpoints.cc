#include "core/debug/watchpoints.h"

#include <algorithm>

#include "core/storage/crc32.h"

namespace mv::debug {
namespace {

constexpr std::uint32_t kVectorTable = 0xE000ED08;  // VTOR of the application, whose first word is its initial MSP
constexpr std::size_t kPiece = 64;                  // bytes read at a time

std::optional<std::uint32_t> read_word(ApplicationMemory& memory, std::uint32_t address) {
  std::array<std::uint8_t, 4> bytes{};
  if (!memory.read(address, bytes)) return std::nullopt;
  return static_cast<std::uint32_t>(bytes[0]) | static_cast<std::uint32_t>(bytes[1]) << 8 |
         static_cast<std::uint32_t>(bytes[2]) << 16 | static_cast<std::uint32_t>(bytes[3]) << 24;
}

// Whether the watched bytes meet [from, to). Everything lies in RAM, far from the ends of the address space.
bool meets(const Watchpoint& watchpoint, std::uint32_t from, std::uint32_t to) {
  return watchpoint.address < to && from < watchpoint.address + watchpoint.length;
}

bool waits_for(WatchKind kind, bool write) {
  return kind == WatchKind::kAccess || (kind == WatchKind::kWrite) == write;
}

}  // namespace

std::size_t Watchpoints::capacity() const { return std::min<std::size_t>(kMax, unit_.capabilities().watchpoints); }

bool Watchpoints::contains(const Watchpoint& watchpoint) const {
  return std::find(list_.begin(), list_.begin() + count_, watchpoint) != list_.begin() + count_;
}

WatchpointError Watchpoints::insert(const Watchpoint& watchpoint) {
  if (contains(watchpoint)) return WatchpointError::kNone;
  if (watchpoint.length == 0 || watchpoint.length > longest()) return WatchpointError::kBadRange;
  if (!sum(watchpoint)) return WatchpointError::kBadRange;
  if (count_ >= capacity()) return WatchpointError::kNoneFree;
  list_[count_++] = watchpoint;
  if (comparators_suffice()) return WatchpointError::kNone;
  --count_;
  return WatchpointError::kNoneFree;
}

// A range takes two comparators of those that are there. Tried out, as no guard stands while the application is halted.
bool Watchpoints::comparators_suffice() {
  if (watching() != Watching::kComparators) return true;
  bool suffice = true;
  for (std::size_t i = 0; i < count_; ++i) suffice = unit_.insert_watchpoint(list_[i]) && suffice;
  unit_.remove_watchpoints();
  return suffice;
}

void Watchpoints::remove(const Watchpoint& watchpoint) {
  const auto end = std::remove(list_.begin(), list_.begin() + count_, watchpoint);
  count_ = static_cast<std::size_t>(end - list_.begin());
  on_stack_ = 0;
}

void Watchpoints::remove_all() {
  unguard();
  count_ = 0;
  on_stack_ = 0;
  remembered_ = 0;
}

void Watchpoints::find_stacks(const Context& context) {
  on_stack_ = 0;
  if (empty() || watching() != Watching::kAttribution) return;
  const std::uint32_t top = main_stack_top();
  for (std::size_t i = 0; i < count_; ++i) {
    if (on_stack(list_[i], context, top)) on_stack_ |= 1U << i;
  }
}

std::uint32_t Watchpoints::main_stack_top() {
  const auto table = read_word(memory_, kVectorTable);
  const auto top = table ? read_word(memory_, *table) : std::nullopt;
  return top.value_or(0);
}

bool Watchpoints::on_stack(const Watchpoint& watchpoint, const Context& context, std::uint32_t main_stack_top) const {
  const std::uint32_t main = context.system[0], process = context.system[1];
  return meets(watchpoint, main - kStackReach, std::max(main_stack_top, main + kStackReach)) ||
         meets(watchpoint, process - kStackReach, process + kStackReach);
}

void Watchpoints::guard() {
  for (std::size_t i = 0; i < count_; ++i) {
    if ((on_stack_ >> i & 1U) != 0) continue;
    unit_.insert_watchpoint(list_[i]);
    guarded_ = true;
    if (watching() == Watching::kComparators && list_[i].kind == WatchKind::kWrite)
      sums_[i] = sum(list_[i]).value_or(0);
  }
}

bool Watchpoints::wrote_the_same(const Watchpoint& hit) {
  if (hit.kind != WatchKind::kWrite) return false;
  const auto found = std::find(list_.begin(), list_.begin() + count_, hit);
  return found != list_.begin() + count_ && sum(*found) == sums_[static_cast<std::size_t>(found - list_.begin())];
}

void Watchpoints::guard_exactly() {
  if (watching() == Watching::kComparators) guard();
}

void Watchpoints::unguard() {
  if (guarded_) unit_.remove_watchpoints();
  guarded_ = false;
}

std::optional<WatchHit> Watchpoints::hit(const Context& context, const DataAccess& access) {
  const std::uint32_t end = access.address + access.size;
  for (std::size_t i = 0; i < count_; ++i) {
    const Watchpoint& watchpoint = list_[i];
    if (!meets(watchpoint, access.address, end) || !waits_for(watchpoint.kind, access.writes)) continue;
    const std::uint32_t from = std::max(access.address, watchpoint.address);
    const std::uint32_t to = std::min(end, watchpoint.address + watchpoint.length);
    if (watchpoint.kind == WatchKind::kWrite && writes_the_same(context, access, from, to)) continue;
    return WatchHit{from, watchpoint.kind};
  }
  return std::nullopt;
}

bool Watchpoints::writes_the_same(const Context& context, const DataAccess& access, std::uint32_t from,
                                  std::uint32_t to) {
  for (std::uint32_t at = from; at < to; ++at) {
    std::array<std::uint8_t, 1> now{};
    if (!memory_.read(at, now) || access.stored(at - access.address, context) != now[0]) return false;
  }
  return true;
}

void Watchpoints::remember(Which which) {
  remembered_ = 0;
  if (which == Which::kNone || watching() != Watching::kAttribution) return;
  for (std::size_t i = 0; i < count_; ++i) {
    if (which == Which::kUnguarded && (on_stack_ >> i & 1U) == 0) continue;
    const auto now = sum(list_[i]);
    if (!now) continue;
    sums_[i] = *now;
    remembered_ |= 1U << i;
  }
}

std::optional<WatchHit> Watchpoints::changed() {
  const std::uint32_t remembered = remembered_;
  remembered_ = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    if ((remembered >> i & 1U) == 0 || list_[i].kind == WatchKind::kRead) continue;
    if (sum(list_[i]) != sums_[i]) return WatchHit{list_[i].address, list_[i].kind};
  }
  return std::nullopt;
}

// A checksum stands for the bytes: it takes four of RAM, and differs whenever a run of up to 32 bits does.
std::optional<std::uint32_t> Watchpoints::sum(const Watchpoint& watchpoint) {
  std::array<std::uint8_t, kPiece> bytes{};
  std::uint32_t crc = 0;
  for (std::uint32_t done = 0; done < watchpoint.length;) {
    const auto piece = std::span(bytes).first(std::min<std::size_t>(kPiece, watchpoint.length - done));
    if (!memory_.read(watchpoint.address + done, piece)) return std::nullopt;
    crc = storage::crc32(piece, crc);
    done += static_cast<std::uint32_t>(piece.size());
  }
  return crc;
}

}  // namespace mv::debug
