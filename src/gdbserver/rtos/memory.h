// Target memory as the kernels' tables see it: what is known is given at once, what is not is noted.
//
// A walk through lists runs over this as if all were known. If something was missing, the missing lines are fetched,
// all in one go, and the walk runs anew: so independent parts of it share their round trips, and the walk itself is a
// plain function. Flash and RAM only: a stray pointer never reads a peripheral.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gdbserver/arm/memory_map.h"
#include "gdbserver/target/memory_cache.h"

namespace mv::gdb::rtos {

class Memory {
 public:
  using Span = MemoryCache::Span;

  explicit Memory(const std::vector<Region>& regions) : regions_(regions) { cache_.set_regions(regions); }

  // Nothing if the bytes are not known yet or cannot be.
  std::optional<std::vector<std::uint8_t>> bytes(std::uint32_t address, std::uint32_t length);
  // Aligned to its size, as every compiler does for these: 1, 2 or 4 bytes, little-endian.
  std::optional<std::uint32_t> number(std::uint32_t address, std::uint32_t size);
  std::optional<std::uint32_t> word(std::uint32_t address) { return number(address, 4); }
  // Up to a zero or `most` bytes; what is not printable ASCII becomes '?'.
  std::optional<std::string> text(std::uint32_t address, std::uint32_t most);

  // Whether a structure could begin here.
  bool plausible(std::uint32_t address) const { return address % 4 == 0 && cache_.cacheable(address, 4); }

  // What was asked for since the last `begin_walk` and is not known, neighbours joined. In order of address.
  void begin_walk();
  std::vector<Span> missing() const;
  // An address that was asked for and is not memory, or that the device could not read.
  std::optional<std::uint32_t> unreadable() const { return unreadable_; }
  void clear_unreadable() { unreadable_.reset(); }

  // Every line asked for so far, in order of address: what the same walk is likely to need after the next stop.
  std::vector<Span> used() const;

  void store(std::uint32_t address, std::span<const std::uint8_t> bytes) { cache_.store(address, bytes); }
  // These could not be read: whoever asks for them again is told so.
  void store_unreadable(Span span) { refused_.push_back(span); }

 private:
  Span line_at(std::uint32_t address) const;
  bool refused(std::uint32_t address, std::uint32_t length) const;

  std::vector<Region> regions_;
  MemoryCache cache_;
  std::map<std::uint32_t, Span> missing_;  // by address
  std::map<std::uint32_t, Span> used_;
  std::vector<Span> refused_;
  std::optional<std::uint32_t> unreadable_;
};

// Spans in order of address, with those joined that touch or nearly so.
std::vector<Memory::Span> join(const std::vector<Memory::Span>& sorted);

}  // namespace mv::gdb::rtos
