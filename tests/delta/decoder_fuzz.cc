// A record from anywhere: rebuilt or refused; nothing is written beyond the segment or read outside the old image (the
// rig aborts on it). Input: place and size of the segment (2 bytes each), size of a piece (1), size of the old image
// (2), the record; or, if the piece's top bit is set, the operations of a delta, which are packed and given a header.
#include <array>
#include <cstddef>
#include <cstdint>

#include "delta/lzma.h"
#include "delta/operations.h"
#include "delta_rig.h"
#include "edits.h"

namespace {

using namespace mv::delta;

rig::Bytes delta_record(std::span<const std::uint8_t> operations, std::uint32_t size) {
  const rig::Bytes packed = compress(operations).value();
  rig::Bytes record = {kVersion << 4 | static_cast<std::uint8_t>(Kind::kDelta)};
  put_varint(record, size);
  put_varint(record, static_cast<std::uint32_t>(operations.size()));
  put_varint(record, static_cast<std::uint32_t>(packed.size()));
  record.insert(record.end(), packed.begin(), packed.end());
  return record;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const rig::Bytes image = rig::Edits(1).program(65536);
  if (size < 7) return 0;
  const auto number = [&](std::size_t at) { return data[at] + 256u * data[at + 1]; };
  const auto old = std::span(image).first(number(5));
  const std::span<const std::uint8_t> bytes(data + 7, size - 7);
  const std::size_t piece = (data[4] & 0x7Fu) + 1;
  if ((data[4] & 0x80) != 0) {
    (void)rig::decode(old, delta_record(bytes, number(2)), number(0), number(2), piece);
  } else {
    (void)rig::decode(old, bytes, number(0), number(2), piece);
  }
  return 0;
}
