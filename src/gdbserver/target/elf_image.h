// What the local ELF file says about the device's flash, which build it is, and which code belongs to which statement.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gdbserver/target/error.h"
#include "gdbserver/target/statements.h"

namespace mv::gdb {

struct ElfImage {
  struct Segment {
    std::uint32_t address;  // where the program sees it
    std::vector<std::uint8_t> bytes;
  };

  std::string path;                    // absolute; empty if it came from memory
  std::vector<std::uint8_t> build_id;  // GNU build id note, empty if there is none
  std::vector<Segment> read_only;      // loadable, not writable
  Statements statements;               // empty without debug information
};

// Errors: kBadRequest, with a sentence.
Result<ElfImage> parse_elf_image(std::span<const std::uint8_t> file);
Result<ElfImage> load_elf_image(const std::string& path);

}  // namespace mv::gdb
