// What the local ELF file says about the device's flash, and which build it is.
//
// Reads 32-bit little-endian ELF only; every offset of the file is checked against its size.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gdbserver/target/error.h"

namespace mv::gdb {

struct ElfImage {
  struct Segment {
    std::uint32_t address;  // where the program sees it
    std::vector<std::uint8_t> bytes;
  };

  std::vector<std::uint8_t> build_id;  // GNU build id note, empty if there is none
  std::vector<Segment> read_only;      // loadable, not writable
};

// Errors: kBadRequest, with a sentence.
Result<ElfImage> parse_elf_image(std::span<const std::uint8_t> file);
Result<ElfImage> load_elf_image(const std::string& path);

}  // namespace mv::gdb
