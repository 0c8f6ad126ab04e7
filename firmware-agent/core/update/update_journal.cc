#include "core/update/update_journal.h"

#include <cstring>

#include "core/storage/flash_units.h"
#include "core/storage/little_endian.h"

namespace mv::update {
namespace {

constexpr std::uint8_t kStateKind = 0;
constexpr std::uint8_t kSizesKind = 1;
constexpr std::uint8_t kProgressKind = 2;

std::uint32_t pack(const UpdateState& state) {
  return static_cast<std::uint32_t>(state.phase) | static_cast<std::uint32_t>(state.running) << 4U |
         static_cast<std::uint32_t>(state.target) << 8U | static_cast<std::uint32_t>(state.layers) << 16U;
}

}  // namespace

UpdateState UpdateJournal::mount() {
  records_.mount();
  const auto record = records_.find(kStateKind);
  if (!record) return {};
  const std::uint32_t number = record->number;
  return {static_cast<Phase>(number & 3U), static_cast<std::uint8_t>(number >> 4U & 0xFU),
          static_cast<std::uint8_t>(number >> 8U & 0xFU), static_cast<std::uint16_t>(number >> 16U)};
}

bool UpdateJournal::write(const UpdateState& state) { return records_.put(kStateKind, pack(state)); }

bool UpdateJournal::write_sizes(const Sizes& sizes) {
  std::array<std::uint8_t, sizeof(Sizes)> bytes;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    storage::store_u32(std::span(bytes).subspan(4 * i).first<4>(), sizes[i]);
  }
  return records_.put(kSizesKind, 0, bytes);
}

bool UpdateJournal::write_progress(const Progress& progress) {
  if (progress == this->progress()) return true;
  return records_.put(kProgressKind,
                      static_cast<std::uint32_t>(progress.layer) << 24U | progress.bytes / storage::kPage);
}

UpdateJournal::Progress UpdateJournal::progress() const {
  const auto record = records_.find(kProgressKind);
  if (!record) return {};
  return {static_cast<std::uint8_t>(record->number >> 24U), (record->number & 0xFFFFU) * storage::kPage};
}

UpdateJournal::Sizes UpdateJournal::sizes() {
  std::array<std::uint8_t, sizeof(Sizes)> bytes{};
  Sizes sizes{};
  if (records_.read(kSizesKind, bytes) != bytes.size()) return sizes;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    sizes[i] = storage::load_u32(std::span(bytes).subspan(4 * i).first<4>());
  }
  return sizes;
}

}  // namespace mv::update
