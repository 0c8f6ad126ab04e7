// Text for the debugger's console: written where the application stopped, read by the Secure thread.
//
// A ring with one writer and one reader. The writer may interrupt the reader, never the other way round. A piece of
// text is kept whole or not at all, and never waits for room: what does not fit is counted.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace mv::debug {

class ConsoleText {
 public:
  static constexpr std::size_t kCapacity = 1024;
  static constexpr std::size_t kLongestPiece = 512;  // bytes between begin and end; the rest is cut off

  // The writer's: a piece is `begin`, any number of `put`, then `end` to keep it. One that is not ended is forgotten.
  void begin();
  void put(char character);
  void put(std::string_view text);
  void put_hex(std::uint32_t word);  // 0x and eight digits
  void end();

  // The reader's: what is there in one piece, from the oldest on, and that it was taken.
  bool empty() const { return taken_ == written_ && dropped_ == 0; }
  std::span<const char> front() const;
  void take(std::size_t bytes) { taken_ = taken_ + bytes; }

  // How many pieces found no room since the last call.
  std::uint32_t take_dropped() { return dropped_.exchange(0); }

  // Takes everything at once, unread.
  void forget();

 private:
  std::array<char, kCapacity> ring_{};
  std::atomic<std::size_t> written_ = 0;  // bytes since ever; it may wrap, as kCapacity divides what it wraps at
  std::atomic<std::size_t> taken_ = 0;
  std::atomic<std::uint32_t> dropped_ = 0;
  std::size_t piece_ = 0;  // bytes since `begin`
  bool fits_ = true;
};

}  // namespace mv::debug
