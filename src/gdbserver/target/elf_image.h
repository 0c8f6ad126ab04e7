// What the local ELF file says about the device's flash, which build it is, which code belongs to which statement, and
// which real-time operating system is in it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gdbserver/rtos/kernel.h"
#include "gdbserver/target/error.h"
#include "gdbserver/target/statements.h"

namespace mv::gdb {

struct ElfImage {
  struct Gap {
    std::size_t offset;  // from the start of the piece
    std::size_t size;
  };
  struct Piece {
    std::uint32_t address;  // where the program sees it
    std::vector<std::uint8_t> bytes;
    std::vector<Gap> gaps;  // between its sections, by address
  };

  std::string path;                          // absolute; empty if it came from memory
  std::vector<std::uint8_t> build_id;        // GNU build id note, empty if there is none
  std::vector<Piece> read_only;              // loaded and not writable; sections that nearly touch are one piece
  Statements statements;                     // empty without debug information
  std::shared_ptr<const rtos::System> rtos;  // null if there is none, or no debug information of it
};

// What fills the gaps is not the ELF's to say: erased flash, or what the tool that made the image chose.
void fill_gaps(ElfImage::Piece& piece, std::uint8_t filler);

// Errors: kBadRequest, with a sentence.
Result<ElfImage> parse_elf_image(std::span<const std::uint8_t> file);
Result<ElfImage> load_elf_image(const std::string& path);

}  // namespace mv::gdb
