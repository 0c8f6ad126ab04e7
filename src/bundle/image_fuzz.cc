// Any bytes as ELF, Intel HEX or binary, and the layers of what reads.
#include <cstddef>
#include <cstdint>

#include "bundle/layers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mv::bundle;
  const Bytes file(data, size);
  for (const auto& image : {read_image(file, 0x0010'0000), read_hex(file), read_elf(file)}) {
    if (!image) continue;
    for (const Board& board : boards()) (void)make_layers(*image, board);
  }
  return 0;
}
