// The segment decoder with as little around it as may be, so that the linker says what it takes (size_probe.ld).
#include "core/update/delta/segment_decoder.h"

namespace {

class Memory final : public mv::update::delta::OldImage, public mv::update::delta::SegmentSink {
 public:
  std::uint32_t size() const override { return 0; }
  bool read(std::uint32_t, std::span<std::uint8_t>) override { return false; }
  bool write(std::span<const std::uint8_t>) override { return false; }
};

Memory memory;
mv::update::delta::SegmentDecoder decoder(memory, memory);

}  // namespace

extern "C" bool decode(const std::uint8_t* record, std::size_t size) {
  decoder.begin(0, static_cast<std::uint32_t>(size));
  return decoder.push({record, size}) && decoder.done();
}
