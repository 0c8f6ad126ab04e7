// What the application holds of objects of ours.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace mv::app {

// Zero is none.
enum class Handle : std::uint32_t { kNone = 0 };

enum class HandleKind : std::uint8_t { kNotifications = 1, kSystemEvent, kNetwork, kChannel, kExternalFlash };

// Hands out handles that are never 0, never the same twice within 2^16 objects of a place, and of one kind only.
class HandleMaker {
 public:
  explicit HandleMaker(HandleKind kind) : kind_(kind) {}
  Handle make(std::size_t place) {
    ++generation_;
    return static_cast<Handle>(static_cast<std::uint32_t>(kind_) << 24U |
                               static_cast<std::uint32_t>(generation_) << 8U | static_cast<std::uint32_t>(place + 1));
  }

 private:
  HandleKind kind_;
  std::uint16_t generation_ = 0;
};

// Up to `kCount` open handles with nothing behind them.
template <std::size_t kCount>
class HandleTable {
 public:
  explicit HandleTable(HandleKind kind) : handles_(kind) {}

  // kNone: all are taken.
  Handle open() {
    const auto free = std::ranges::find(open_, Handle::kNone);
    if (free == open_.end()) return Handle::kNone;
    return *free = handles_.make(static_cast<std::size_t>(free - open_.begin()));
  }

  bool contains(Handle handle) const { return handle != Handle::kNone && std::ranges::count(open_, handle) != 0; }

  bool close(Handle handle) {
    if (!contains(handle)) return false;
    *std::ranges::find(open_, handle) = Handle::kNone;
    return true;
  }

  std::uint32_t count() const {
    return static_cast<std::uint32_t>(kCount) - static_cast<std::uint32_t>(std::ranges::count(open_, Handle::kNone));
  }

  void reset() { open_ = {}; }

 private:
  HandleMaker handles_;
  std::array<Handle, kCount> open_{};
};

}  // namespace mv::app
