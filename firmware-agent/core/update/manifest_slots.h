// Two places for manifests in flash: of the bundle that runs and of the one that is to run. Which is which says the
// journal. A place is a page: length (u32), CRC-32 (u32) in its first quad-word, written last; then the file.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/platform/ports.h"
#include "core/update/manifest.h"
#include "core/update/page_writer.h"

namespace mv::update {

class ManifestSlots {
 public:
  static constexpr std::uint8_t kSlots = 2;

  explicit ManifestSlots(Flash& flash) : flash_(flash), writer_(flash) {}

  // Writing: begin, the file in pieces, finish. False: the flash refused, or the file is not `size` bytes.
  bool begin(std::uint8_t slot, std::uint32_t size);
  bool write(std::span<const std::uint8_t> bytes);
  bool finish();

  // SHA-256 of the file in the slot; none if there is no whole one.
  std::optional<Hash> hash(std::uint8_t slot);

  // Reads and checks the file in the slot.
  tl::expected<void, Refusal> load(std::uint8_t slot, const ManifestRules& rules, ManifestScratch& scratch,
                                   Manifest& out, SegmentHashes* segments = nullptr);

 private:
  std::optional<std::uint32_t> size_of(std::uint8_t slot);

  Flash& flash_;
  PageWriter writer_;
  std::uint8_t slot_ = 0;
  std::uint32_t left_ = 0;
  std::uint32_t size_ = 0;
  std::uint32_t crc_ = 0;
};

}  // namespace mv::update
