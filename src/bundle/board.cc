#include "bundle/board.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace mv::bundle {
namespace {

constexpr std::uint32_t kKiB = 1024;
constexpr std::uint32_t kMiB = 1024 * kKiB;

// The emulator's application area: docs/architecture.md, firmware-agent/boards/mps2-an505.
constexpr Area kMps2Areas[] = {{AreaKind::kInternalFlash, "flash", 0x0010'0000, kMiB}};

// The original platform's map: flash as the application sees it, and the external flash beyond the staging area.
constexpr Area kStm32u585Areas[] = {{AreaKind::kInternalFlash, "flash", 0x0800'0000, kMiB},
                                    {AreaKind::kExternalFlash, "external", 0x9000'0000, 8 * kMiB}};

constexpr Board kBoards[] = {{"mps2-an505", kMps2Areas, 0x2820'0000, 512 * kKiB},
                             {"stm32u585", kStm32u585Areas, 0x2000'0000, 512 * kKiB}};

std::string size_text(std::uint32_t size) {
  return size > kMiB ? std::to_string(size / kMiB) + " MiB" : std::to_string(size / kKiB) + " KiB";
}

}  // namespace

const Area* Board::area_of(std::uint64_t address, std::uint64_t length) const {
  const auto found = std::find_if(areas.begin(), areas.end(), [&](const Area& a) { return a.holds(address, length); });
  return found == areas.end() ? nullptr : &*found;
}

std::string Board::describe_areas() const {
  std::string text;
  for (const Area& area : areas) {
    text += (text.empty() ? "" : ", ") + std::string(area.name) + " " + hex_address(area.start) + " + " +
            size_text(area.size);
  }
  return text;
}

std::span<const Board> boards() { return kBoards; }

const Board* find_board(std::string_view name) {
  const auto found =
      std::find_if(std::begin(kBoards), std::end(kBoards), [&](const Board& b) { return b.name == name; });
  return found == std::end(kBoards) ? nullptr : found;
}

std::string board_names() {
  std::string names;
  for (const Board& board : kBoards) names += (names.empty() ? "" : ", ") + std::string(board.name);
  return names;
}

std::string hex_address(std::uint64_t address) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "0x%08llx", static_cast<unsigned long long>(address));
  return text.data();
}

}  // namespace mv::bundle
