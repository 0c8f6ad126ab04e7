// Records of a trace: written where the application was hit, read by the Secure thread.
//
// A ring with one writer and one reader, as console_text.h has it for text. A record is kept whole or not at all, and
// never waits for room: every hit has a number, so what is missing can be counted. Layout: `TraceRecords` in
// wire/proto/agent.proto.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/platform/debug_unit.h"
#include "core/platform/ports.h"

namespace mv::debug {

class TraceRecords {
 public:
  static constexpr std::size_t kCapacity = 2048;
  static constexpr std::size_t kLongest = 768;  // bytes of one record, all of it

  // The writer's: a record is `begin`, any number of `put_register` and `put_memory`, then `end`, which keeps it if
  // there is room. `begin` counts the hit and notes the time.
  void begin(std::uint32_t address);
  // Nothing is put if there is no such register, or none at the moment (wire numbers: see agent_expression.h).
  void put_register(const Context& context, std::uint8_t number);
  enum class Put : std::uint8_t { kDone, kUnreadable, kNoRoom };
  Put put_memory(ApplicationMemory& memory, std::uint32_t address, std::size_t size);
  void end();

  // The reader's: moves whole records to `out`, oldest first; returns how many bytes. kLongest bytes take one at least.
  std::size_t take(std::span<std::uint8_t> out);
  bool empty() const { return taken_ == written_; }
  bool half_full() const { return written_ - taken_ >= kCapacity / 2; }
  std::uint32_t hits() const { return hits_; }  // since `start`

  // While nobody writes: forgets all and counts from 1. Times come from `clock`, which outlives the trace.
  void start(Clock& clock);

 private:
  static constexpr std::size_t kLengthSize = 2;

  bool room_for(std::size_t size) const { return size <= kLongest - size_; }
  void put(std::uint64_t value, std::size_t size);
  void copy_out(std::size_t from, std::span<std::uint8_t> out) const;

  Clock* clock_ = nullptr;
  std::array<std::uint8_t, kCapacity> ring_{};
  std::array<std::uint8_t, kLongest> record_{};  // being written
  std::size_t size_ = 0;                         // of it
  std::atomic<std::size_t> written_ = 0;         // bytes since ever; it may wrap, as kCapacity divides what it wraps at
  std::atomic<std::size_t> taken_ = 0;
  std::atomic<std::uint32_t> hits_ = 0;
};

}  // namespace mv::debug
