#include "boards/stm32u585/board_flash.h"

#include <iterator>
#include <optional>

#include "boards/stm32u585/memory.h"
#include "boards/stm32u585/nor_external_flash.h"

namespace mv::board {
namespace {

enum class Where : std::uint8_t { kChip, kNor };

struct Place {
  flash_map::Area area;
  Where where;
  std::uint32_t offset;  // in the chip's flash, or of CheckedNor
};

constexpr Place on_chip(flash_map::Area area, std::uint32_t offset) { return {area, Where::kChip, offset}; }
constexpr Place in_nor(flash_map::Area area, std::uint32_t offset) { return {area, Where::kNor, offset}; }

namespace map = flash_map;

constexpr Place kPlaces[] = {
    on_chip(map::kApplication, 0),
    on_chip(map::kUpdateJournal, kSmallAreas),
    on_chip(map::kManifests, kSmallAreas + 0x08000),
    on_chip(map::kCrashRecords, kSmallAreas + 0x10000),
    on_chip(map::kCounters, kSmallAreas + 0x18000),
    on_chip(map::kTlsSession, kSmallAreas + 0x1c000),
    on_chip(map::kBootChoice, kBootChoice),
    on_chip(map::kSignerKeys, kSmallAreas + 0x24000),
    on_chip(map::kWifi, kSmallAreas + 0x28000),
    on_chip(map::kIdentity, kIdentityPage),
    in_nor(map::kStaging, kNorStaging),
    in_nor(map::kUndo, kNorUndo),
    in_nor(map::kStagingIndex, kNorStagingIndex),
    in_nor(map::kUndoIndex, kNorUndoIndex),
    in_nor(map::kMicrovisor, kNorSlotA),
    in_nor(map::kMicrovisorB, kNorSlotB),
};

constexpr bool places_are_apart() {
  for (std::size_t i = 0; i < std::size(kPlaces); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const Place& a = kPlaces[i];
      const Place& b = kPlaces[j];
      if (a.where == b.where && a.offset < b.offset + b.area.size && b.offset < a.offset + a.area.size) return false;
    }
  }
  return true;
}
static_assert(places_are_apart());

// What the application has of the NOR begins behind all of it: each page takes three sectors.
constexpr bool nor_is_left_to_the_application() {
  for (const Place& place : kPlaces) {
    const std::uint32_t pages = (place.offset + place.area.size) / Flash::kPage;
    if (place.where == Where::kNor && pages * storage::CheckedNor::kPageOnDevice > NorExternalFlash::kStart)
      return false;
  }
  return true;
}
static_assert(nor_is_left_to_the_application());

struct Found {
  Where where;
  std::uint32_t offset;
};

// None if the range is not within one area.
std::optional<Found> find(std::uint32_t offset, std::size_t size) {
  for (const Place& place : kPlaces) {
    if (arch::lies_within(offset, static_cast<std::uint32_t>(size), place.area.offset, place.area.size)) {
      return Found{place.where, place.offset + (offset - place.area.offset)};
    }
  }
  return std::nullopt;
}

}  // namespace

Flash::Result BoardFlash::read(std::uint32_t offset, std::span<std::uint8_t> out) {
  const auto found = find(offset, out.size());
  if (!found) return Result::kOutOfRange;
  return found->where == Where::kChip ? internal_.read(found->offset, out) : checked_.read(found->offset, out);
}

Flash::Result BoardFlash::erase_page(std::uint32_t offset) {
  const auto found = find(offset, kPage);
  if (!found) return Result::kOutOfRange;
  return found->where == Where::kChip ? internal_.erase_page(found->offset) : checked_.erase_page(found->offset);
}

Flash::Result BoardFlash::program(std::uint32_t offset, std::span<const std::uint8_t> quad_words) {
  const auto found = find(offset, quad_words.size());
  if (!found) return Result::kOutOfRange;
  return found->where == Where::kChip ? internal_.program(found->offset, quad_words)
                                      : checked_.program(found->offset, quad_words);
}

}  // namespace mv::board
