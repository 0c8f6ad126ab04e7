// The log: records of the application and of the microvisor, kept until the cloud has stored them.
//
// A ring of whole records. When it is full a new record is dropped and counted, as the original ABI has it, so a record
// that was handed out stays valid until it is acknowledged. The last kReserve bytes are for the microvisor's own
// records: what it says about a crash must not drown in what led to it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/app/wall_clock.h"
#include "core/link/peers.h"
#include "core/platform/guest.h"

namespace mv::app {

class LogBuffer final : public link::LogSource {
 public:
  static constexpr std::size_t kSize = 12 * 1024;
  static constexpr std::size_t kReserve = 1024;

  LogBuffer(DeviceClock& clock, Lock& lock) : clock_(clock), lock_(lock) {}

  // From any context. False if there is no room: the record is dropped and counted. At most kMaxText bytes are kept.
  bool append(mv_wire_LogSource source, std::span<const std::uint8_t> text);
  bool append(std::string_view text);  // of the microvisor

  enum class Outcome : std::uint8_t { kKept, kNoRoom, kBadAddress };

  // Takes `size` bytes (at most kMaxText) of the application's text straight from its memory.
  Outcome append_from(GuestMemory& memory, std::uint32_t address, std::uint32_t size);

  // False while the cloud wants no log.
  bool enabled() const { return enabled_; }

  // link::LogSource, on the Secure thread.
  std::optional<link::LogRecord> next(std::uint64_t after) override;
  void acknowledge(std::uint64_t sequence) override;
  std::uint64_t lost() const override;
  void enable(bool enabled) override { enabled_ = enabled; }

 private:
  struct Header {
    std::uint64_t sequence;
    std::uint64_t time_us;
    std::uint64_t uptime_us;
    std::uint32_t size;    // bytes of text behind it
    std::uint32_t source;  // mv_wire_LogSource, or kSkip: the next record is at the start
  };
  static constexpr std::uint32_t kSkip = 0xFFFFFFFF;

  static std::size_t space_for(std::size_t text) { return (sizeof(Header) + text + 7) / 8 * 8; }
  std::optional<std::size_t> place(std::size_t space, std::size_t limit);
  void commit(std::size_t at, mv_wire_LogSource source, std::size_t size, std::uint64_t wall);
  Header header_at(std::size_t at) const;
  void put_header(std::size_t at, const Header& header);
  std::size_t begin_of(std::size_t at) const;

  DeviceClock& clock_;
  Lock& lock_;
  alignas(8) std::array<std::uint8_t, kSize> ring_{};
  std::size_t head_ = 0;  // the oldest record
  std::size_t used_ = 0;  // bytes from head_ on that are taken
  std::uint64_t sequence_ = 0;
  std::uint64_t lost_ = 0;
  std::size_t found_ = 0;  // where the record after found_after_ is: `next` is asked in order
  std::uint64_t found_after_ = 0;
  bool found_valid_ = false;
  bool enabled_ = true;
};

}  // namespace mv::app
