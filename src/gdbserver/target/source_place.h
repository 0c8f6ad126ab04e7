// Where in the source an address lies, by the ELF's debug information.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace mv::gdb {

struct SourcePlace {
  std::string function;  // the innermost, inlined ones included; empty if there is none
  std::string file;      // as the compiler was given it
  std::uint32_t line = 0;
};

// Nothing if the ELF cannot be read or does not know. For a return address ask for the byte before it.
std::optional<SourcePlace> find_source(const std::string& elf_path, std::uint32_t address);

}  // namespace mv::gdb
