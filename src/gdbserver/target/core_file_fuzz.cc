// Whatever is in a core file, what is taken of it is never more than the file and lies within the address space, and it
// can be described. The header is made right first, so that the time goes into what is behind it.
#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "gdbserver/target/crash.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint8_t> file(data, data + size);
  if (Elf32_Ehdr header{}; size >= sizeof header) {
    std::memcpy(&header, data, sizeof header);
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS32;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_machine = EM_ARM;
    header.e_type = ET_CORE;
    header.e_version = EV_CURRENT;
    header.e_phentsize = sizeof(Elf32_Phdr);
    header.e_shentsize = sizeof(Elf32_Shdr);
    std::memcpy(file.data(), &header, sizeof header);
  }
  const auto crash = mv::gdb::parse_core_file(file);
  if (!crash) return crash.error().text.empty() ? std::abort(), 0 : 0;
  if (mv::gdb::describe_crash(*crash).empty() || crash->stack_pieces > crash->memory.size()) std::abort();
  std::size_t taken = 0;
  for (const auto& memory : crash->memory) {
    taken += memory.bytes.size();
    if (memory.address + std::uint64_t{memory.bytes.size()} > std::uint64_t{UINT32_MAX} + 1) std::abort();
  }
  if (taken > size) std::abort();
  return 0;
}
