// A data watchpoint as clients ask for it, and the hit that a device reports.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace mv::gdb {

enum class WatchKind : std::uint8_t { kWrite, kRead, kAccess };

struct Watchpoint {
  std::uint32_t address = 0;
  std::uint32_t length = 0;  // bytes
  WatchKind kind = WatchKind::kWrite;

  auto operator<=>(const Watchpoint&) const = default;
};

struct WatchSupport {
  std::size_t count = 0;      // watchpoints at once
  bool stops_before = false;  // the stop comes before the access is made, and resuming makes it
};

// The first watched byte that was touched, and what its watchpoint waits for.
struct WatchHit {
  std::uint32_t address = 0;
  WatchKind kind = WatchKind::kWrite;
};

}  // namespace mv::gdb
