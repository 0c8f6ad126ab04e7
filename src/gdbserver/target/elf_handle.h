// libelf's handle of a file that lies in memory.
#pragma once

#include <libelf.h>

#include <cstdint>
#include <memory>
#include <span>

namespace mv::gdb {

struct ElfEnd {
  void operator()(Elf* elf) const { elf_end(elf); }
};
using ElfHandle = std::unique_ptr<Elf, ElfEnd>;

// Null if it is nothing that libelf knows. `file` must outlive the handle.
inline ElfHandle open_elf(std::span<const std::uint8_t> file) {
  elf_version(EV_CURRENT);
  // libelf asks for memory that may be written to; opened like this it only reads.
  return ElfHandle(elf_memory(const_cast<char*>(reinterpret_cast<const char*>(file.data())), file.size()));
}

}  // namespace mv::gdb
