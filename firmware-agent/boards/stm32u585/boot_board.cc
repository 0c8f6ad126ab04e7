#include "boot_board.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "boards/common/console.h"
#include "boards/stm32u585/clocks.h"
#include "boards/stm32u585/option_bytes.h"
#include "boards/stm32u585/pins.h"
#include "boards/stm32u585/watchdog.h"

namespace mv::boot {
namespace {

constexpr std::uint32_t kHeaderSize = sizeof(image::Header);
// Header and image as one file, the way the slots hold them.
constexpr flash_map::Area kRunning = {board::kImage - kHeaderSize, kHeaderSize + board::kImageRoom};

constexpr std::uint32_t up_to_quad_word(std::uint32_t size) { return (size + 15U) & ~15U; }

bool erase(Flash& flash, std::uint32_t offset, std::uint32_t size) {
  for (std::uint32_t at = 0; at < size; at += Flash::kPage) {
    if (flash.erase_page(offset + at) != Flash::Result::kOk) return false;
  }
  return true;
}

}  // namespace

Board::Board() {
  const bool fast = board::set_up_clocks();
  board::set_up_pins();
  board::console::set_up();
  if (!fast) board::console::write_line("boot: the clock does not come up, running at 4 MHz");
  if (!board::check_option_bytes()) {
    board::console::write_line("boot: set them with mvctl usb flash --option-bytes, then switch off and on");
    for (;;) __asm volatile("cpsid i\n wfi");
  }
  if (!flash_.set_up()) board::console::write_line("boot: the external flash does not answer");
}

void Board::prepare(image::BootRecords& records, image::Crypto& crypto) {
  if (records.state() != image::BootState{}) return;
  if (image::read_header(flash_, flash_map::kMicrovisor) || image::read_header(flash_, flash_map::kMicrovisorB)) return;
  const auto header = image::check_image(flash_.internal(), kRunning, kTarget, crypto);
  if (!header) {
    board::console::write("boot: what was flashed: ");
    board::console::write_line(image::describe(header.error()));
    return;
  }
  const std::uint32_t size = up_to_quad_word(kHeaderSize + header->length);
  board::console::write_line("boot: slot A gets the microvisor that was flashed");
  // The header last, so that half a copy is none.
  const std::uint32_t slot = flash_map::kMicrovisor.offset;
  if (!erase(flash_, slot, size) ||
      !copy(flash_.internal(), kRunning.offset + kHeaderSize, flash_, slot + kHeaderSize, size - kHeaderSize) ||
      !copy(flash_.internal(), kRunning.offset, flash_, slot, kHeaderSize)) {
    board::console::write_line("boot: it could not be written");
  }
}

bool Board::copy(Flash& from, std::uint32_t from_offset, Flash& to, std::uint32_t to_offset, std::uint32_t size) {
  std::array<std::uint8_t, 256> part;
  for (std::uint32_t at = 0; at < size; at += static_cast<std::uint32_t>(part.size())) {
    const std::span bytes(part.data(), std::min<std::size_t>(part.size(), size - at));
    if (from.read(from_offset + at, bytes) != Flash::Result::kOk) return false;
    if (to.program(to_offset + at, bytes) != Flash::Result::kOk) return false;
  }
  return true;
}

bool Board::runs_already(const image::Header& header, image::Crypto& crypto) {
  const auto there = image::read_header(flash_.internal(), kRunning);
  if (!there || std::memcmp(&*there, &header, sizeof(header)) != 0) return false;
  image::Digest digest{};
  return image::hash_flash(flash_.internal(), board::kImage, header.length, crypto, digest) && digest == header.sha256;
}

bool Board::place(const image::Start& start, image::Crypto& crypto) {
  if (runs_already(start.header, crypto)) return true;
  board::console::write_line("boot: it is copied to where it runs");
  const std::uint32_t size = up_to_quad_word(start.header.length), slot = image::place_of(start.slot).offset;
  Flash& chip = flash_.internal();
  return erase(chip, board::kHeaderPage, board::kPageSize) && erase(chip, board::kImage, board::kImageRoom) &&
         copy(flash_, slot + kHeaderSize, chip, board::kImage, size) &&
         copy(flash_, slot, chip, kRunning.offset, kHeaderSize) && runs_already(start.header, crypto);
}

std::optional<image::Start> Board::last_resort(const image::BootRecords& records, image::Crypto& crypto) {
  const auto header = image::check_image(flash_.internal(), kRunning, kTarget, crypto);
  if (!header || header->version < records.state().minimum_version) return std::nullopt;
  return image::Start{records.state().confirmed, false, *header};
}

void Board::start_watchdog() { board::start_watchdog(); }

}  // namespace mv::boot
