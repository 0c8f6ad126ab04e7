// What is known of the device's memory without asking it again, in lines of 64 bytes.
//
// Flash stays known as long as the image is the same; RAM for one stop only: `forget_ram` is called on every resume, so
// no byte of one stop can appear in the next. Peripherals are never stored here.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "gdbserver/arm/memory_map.h"
#include "gdbserver/target/flash_content.h"

namespace mv::gdb {

class MemoryCache {
 public:
  static constexpr std::uint32_t kLine = 64;

  struct Span {
    std::uint32_t address;
    std::uint32_t length;
    bool operator==(const Span&) const = default;
  };

  // Regions of flash and RAM; everything is forgotten.
  void set_regions(std::vector<Region> regions);

  // Whether all of the range lies in one region whose bytes may be kept.
  bool cacheable(std::uint32_t address, std::uint32_t length) const;

  // Whether all of the range is flash, whose bytes stay what they are.
  bool is_flash(std::uint32_t address, std::uint32_t length) const;

  // The bytes, if every one is known.
  std::optional<std::vector<std::uint8_t>> find(std::uint32_t address, std::uint32_t length) const;

  // What to ask the device for, so that the range becomes known: whole lines, clipped to the region, neighbours joined.
  // `ahead` further bytes behind it are asked for as well if anything is. The range is cacheable.
  std::vector<Span> missing(std::uint32_t address, std::uint32_t length, std::uint32_t ahead) const;

  // Bytes that the device sent or was told. Bytes outside flash and RAM are dropped. Returns how many were not known.
  std::size_t store(std::uint32_t address, std::span<const std::uint8_t> bytes);

  // The bytes that are known in [address, address + length), which does not reach past the address space.
  FlashContent known(std::uint32_t address, std::uint32_t length) const;

  void forget_ram();
  void forget_all() { lines_.clear(); }

 private:
  struct Line {
    std::array<std::uint8_t, kLine> bytes{};
    std::uint64_t known = 0;  // bit n: byte n is known
  };

  const Region* region_of(std::uint32_t address) const;
  bool line_known(std::uint32_t line, const Region& region) const;

  std::vector<Region> regions_;
  std::map<std::uint32_t, Line> lines_;  // by address of the first byte
};

}  // namespace mv::gdb
