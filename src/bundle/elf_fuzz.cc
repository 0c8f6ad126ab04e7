// Whatever stands behind an ELF header, the reader stays within the file. The header is made right first, so that the
// time goes into what is behind it; image_fuzz.cc has the bytes that are no ELF at all.
#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "bundle/image.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mv::bundle;
  std::vector<std::uint8_t> file(data, data + size);
  if (Elf32_Ehdr header{}; size >= sizeof header) {
    std::memcpy(&header, data, sizeof header);
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS32;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_EXEC;
    header.e_machine = EM_ARM;
    header.e_version = EV_CURRENT;
    header.e_ehsize = sizeof header;
    header.e_phentsize = sizeof(Elf32_Phdr);
    header.e_shentsize = sizeof(Elf32_Shdr);
    std::memcpy(file.data(), &header, sizeof header);
  }
  const auto id = read_build_id(file);
  const auto image = read_elf(file);
  if (image && !id) std::abort();
  return 0;
}
