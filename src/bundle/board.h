// Boards: where an application's flash and RAM are, seen from the Non-secure side.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mv::bundle {

enum class AreaKind { kInternalFlash, kExternalFlash };

// Flash that a bundle may fill. Regions in a manifest are relative to its start.
struct Area {
  AreaKind kind;
  std::string_view name;  // "flash", "external"
  std::uint32_t start;
  std::uint32_t size;

  bool holds(std::uint64_t address, std::uint64_t length) const {
    return address >= start && address + length <= std::uint64_t{start} + size;
  }
};

struct Board {
  std::string_view name;
  std::span<const Area> areas;  // the internal flash first: the vector table is at its start
  std::uint32_t ram_start;
  std::uint32_t ram_size;

  const Area* area_of(std::uint64_t address, std::uint64_t length) const;
  const Area& internal_flash() const { return areas.front(); }

  // "flash 0x08000000 + 1024 KiB, external 0x90000000 + 8 MiB"
  std::string describe_areas() const;
};

std::span<const Board> boards();

// nullptr if no board has that name.
const Board* find_board(std::string_view name);

// "mps2-an505, stm32u585"
std::string board_names();

// "0x08000000"
std::string hex_address(std::uint64_t address);

}  // namespace mv::bundle
