#include "delta/whole_segment.h"

#include "delta/lzma.h"
#include "wire/delta_format.h"

namespace mv::delta {
namespace {

// Takes a varint from the front. Nothing if it is cut off or too long.
std::optional<std::uint32_t> take_varint(std::span<const std::uint8_t>& bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kMaxVarint && i < bytes.size(); ++i) {
    value |= static_cast<std::uint64_t>(bytes[i] & 0x7F) << (7 * i);
    if ((bytes[i] & 0x80) != 0) continue;
    bytes = bytes.subspan(i + 1);
    return value <= UINT32_MAX ? std::optional(static_cast<std::uint32_t>(value)) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::vector<std::uint8_t>> unpack_whole(std::span<const std::uint8_t> record, std::uint32_t size) {
  if (record.empty() || record[0] >> 4 != kVersion || size > kSegmentSize) return std::nullopt;
  const auto kind = static_cast<Kind>(record[0] & 0x0F);
  record = record.subspan(1);
  if (take_varint(record) != size) return std::nullopt;
  if (kind == Kind::kStored) {
    if (record.size() != size) return std::nullopt;
    return std::vector<std::uint8_t>(record.begin(), record.end());
  }
  if (kind != Kind::kCompressed) return std::nullopt;
  const auto packed = take_varint(record);
  if (!packed || *packed != record.size()) return std::nullopt;
  return decompress(record, size);
}

}  // namespace mv::delta
