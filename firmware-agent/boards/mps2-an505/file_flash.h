// Flash on memory that QEMU keeps in a file, with the rules of the STM32U5 imitated strictly, so that code that breaks
// them fails here too.
//
// What the cells cannot tell, a map at the end of the file does: two bits for each quad-word, 11 erased, 01 an
// operation began and was not finished (torn: QEMU was killed), 00 programmed. A fresh file is all 0xFF. A file that a
// tool filled has data in quad-words marked erased; they count as programmed.
#pragma once

#include <cstdint>
#include <span>

#include "core/platform/ports.h"

namespace mv::board {

class FileFlash final : public Flash {
 public:
  static constexpr std::uint32_t kMapSize = 0x40000;  // bytes; the map is not part of the flash

  // `file`: the whole memory, map included.
  explicit FileFlash(std::span<std::uint8_t> file)
      : cells_(file.first(file.size() - kMapSize)), map_(file.last(kMapSize)) {}

  std::uint32_t size() const override { return static_cast<std::uint32_t>(cells_.size()); }
  Result read(std::uint32_t offset, std::span<std::uint8_t> out) override;
  Result erase_page(std::uint32_t offset) override;
  Result program(std::uint32_t offset, std::span<const std::uint8_t> quad_words) override;

 private:
  enum class Mark : std::uint8_t { kProgrammed = 0, kTorn = 1, kErased = 3 };

  bool in_range(std::uint32_t offset, std::size_t size) const;
  Mark mark(std::uint32_t quad) const;
  void set_mark(std::uint32_t quad, Mark mark);
  bool is_blank(std::uint32_t quad) const;
  bool is_torn(std::uint32_t quad) const;

  std::span<std::uint8_t> cells_, map_;
};

}  // namespace mv::board
