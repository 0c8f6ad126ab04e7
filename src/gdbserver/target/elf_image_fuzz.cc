// Whatever stands behind an ELF header, what is taken of the file is never more than the file. The header is made right
// first, so that the time goes into what is behind it.
#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "gdbserver/target/elf_image.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)mv::gdb::parse_elf_image({data, size});
  std::vector<std::uint8_t> file(data, data + size);
  if (Elf32_Ehdr header{}; size >= sizeof header) {
    std::memcpy(&header, data, sizeof header);
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS32;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_machine = EM_ARM;
    header.e_version = EV_CURRENT;
    header.e_phentsize = sizeof(Elf32_Phdr);
    header.e_shentsize = sizeof(Elf32_Shdr);
    std::memcpy(file.data(), &header, sizeof header);
  }
  const auto image = mv::gdb::parse_elf_image(file);
  if (!image) return 0;
  std::size_t taken = 0;
  for (const auto& piece : image->read_only) {
    taken += piece.bytes.size();
    for (const auto& gap : piece.gaps) taken -= gap.size;
  }
  if (taken > size || image->build_id.size() > size) std::abort();
  return 0;
}
