// Writes bytes one after the other into flash: erases each page as it comes to it, programs whole quad-words.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/platform/flash_map.h"
#include "core/platform/ports.h"
#include "core/storage/flash_units.h"

namespace mv::update {

class PageWriter {
 public:
  explicit PageWriter(Flash& flash) : flash_(flash) {}

  // Begins at `offset`, a multiple of a page. Nothing is erased before the first byte comes.
  void begin(std::uint32_t offset);

  // False if the flash refused; begin anew, at the page in question or before.
  bool write(std::span<const std::uint8_t> bytes);

  // Programs what is left of a last quad-word, filled up with 0xFF.
  bool finish();

  std::uint32_t position() const { return position_; }  // offset of the next byte

 private:
  bool program_buffer();

  Flash& flash_;
  std::uint32_t position_ = 0;
  std::array<std::uint8_t, storage::kQuadWord> buffer_{};  // of the quad-word at position_
};

}  // namespace mv::update
