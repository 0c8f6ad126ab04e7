#include "core/update/manifest_slots.h"

#include <algorithm>
#include <array>

#include "core/platform/flash_map.h"
#include "core/storage/crc32.h"
#include "core/storage/flash_units.h"
#include "core/storage/little_endian.h"

namespace mv::update {
namespace {

using storage::kPage;
using storage::kQuadWord;

static_assert(kMaxManifest + kQuadWord <= kPage);

constexpr std::uint32_t slot_offset(std::uint8_t slot) { return flash_map::kManifests.offset + slot * 2 * kPage; }

struct Source {
  Flash& flash;
  std::uint32_t offset;
};

bool read_flash(pb_istream_t* stream, pb_byte_t* buffer, size_t count) {
  auto* source = static_cast<Source*>(stream->state);
  if (source->flash.read(source->offset, {buffer, count}) != Flash::Result::kOk) return false;
  source->offset += static_cast<std::uint32_t>(count);
  return true;
}

}  // namespace

bool ManifestSlots::begin(std::uint8_t slot, std::uint32_t size) {
  slot_ = slot;
  size_ = left_ = size;
  crc_ = 0;
  if (size == 0 || size > kMaxManifest) return false;
  if (flash_.erase_page(slot_offset(slot)) != Flash::Result::kOk) return false;
  writer_.begin(slot_offset(slot) + kQuadWord);
  return true;
}

bool ManifestSlots::write(std::span<const std::uint8_t> bytes) {
  if (bytes.size() > left_) return false;
  left_ -= static_cast<std::uint32_t>(bytes.size());
  crc_ = storage::crc32(bytes, crc_);
  return writer_.write(bytes);
}

bool ManifestSlots::finish() {
  if (left_ != 0 || !writer_.finish()) return false;
  std::array<std::uint8_t, kQuadWord> header;
  header.fill(0xFF);
  storage::store_u32(std::span(header).first<4>(), size_);
  storage::store_u32(std::span(header).subspan<4, 4>(), crc_);
  return flash_.program(slot_offset(slot_), header) == Flash::Result::kOk;
}

std::optional<std::uint32_t> ManifestSlots::size_of(std::uint8_t slot) {
  std::array<std::uint8_t, kQuadWord> header;
  if (slot >= kSlots || flash_.read(slot_offset(slot), header) != Flash::Result::kOk) return std::nullopt;
  const std::uint32_t size = storage::load_u32(std::span(header).first<4>());
  if (size == 0 || size > kMaxManifest) return std::nullopt;
  std::array<std::uint8_t, 64> piece;
  std::uint32_t crc = 0;
  for (std::uint32_t done = 0; done < size;) {
    const auto part = std::span(piece).first(std::min<std::uint32_t>(piece.size(), size - done));
    if (flash_.read(slot_offset(slot) + kQuadWord + done, part) != Flash::Result::kOk) return std::nullopt;
    crc = storage::crc32(part, crc);
    done += static_cast<std::uint32_t>(part.size());
  }
  return crc == storage::load_u32(std::span(header).subspan<4, 4>()) ? std::optional(size) : std::nullopt;
}

std::optional<Hash> ManifestSlots::hash(std::uint8_t slot) {
  const auto size = size_of(slot);
  if (!size) return std::nullopt;
  Sha256 sha;
  std::array<std::uint8_t, 64> piece;
  for (std::uint32_t done = 0; done < *size;) {
    const auto part = std::span(piece).first(std::min<std::uint32_t>(piece.size(), *size - done));
    if (flash_.read(slot_offset(slot) + kQuadWord + done, part) != Flash::Result::kOk) return std::nullopt;
    sha.add(part);
    done += static_cast<std::uint32_t>(part.size());
  }
  Hash hash;
  return sha.finish(hash) ? std::optional(hash) : std::nullopt;
}

tl::expected<void, Refusal> ManifestSlots::load(std::uint8_t slot, const ManifestRules& rules, ManifestScratch& scratch,
                                                Manifest& out, SegmentHashes* segments) {
  const auto size = size_of(slot);
  const auto file_hash = hash(slot);
  if (!size || !file_hash) {
    return tl::make_unexpected(Refusal{mv_wire_UpdateError_UPDATE_FLASH_FAILED, {"the manifest in flash is damaged"}});
  }
  Source source{flash_, slot_offset(slot) + kQuadWord};
  pb_istream_t stream = {&read_flash, &source, *size, nullptr};
  return parse_manifest(stream, *file_hash, rules, scratch, out, segments);
}

}  // namespace mv::update
