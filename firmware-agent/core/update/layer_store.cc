#include "core/update/layer_store.h"

#include <algorithm>

#include "core/storage/flash_units.h"

namespace mv::update {
namespace {

using storage::kPage;
using storage::kQuadWord;

using Piece = std::array<std::uint8_t, 256>;
static_assert(kPage % sizeof(Piece) == 0 && sizeof(Piece) % kQuadWord == 0);

// Reads flash in pieces of 256 bytes. False if it or `take` refuses.
template <typename Take>
bool read_pieces(Flash& flash, std::uint32_t offset, std::uint32_t size, Take take) {
  Piece piece;
  for (std::uint32_t done = 0; done < size;) {
    const auto part = std::span(piece).first(std::min<std::uint32_t>(piece.size(), size - done));
    if (flash.read(offset + done, part) != Flash::Result::kOk || !take(part)) return false;
    done += static_cast<std::uint32_t>(part.size());
  }
  return true;
}

class Hashes final : public delta::SegmentSink {
 public:
  Hashes(Sha256& one, Sha256& two) : one_(one), two_(two) {}
  bool write(std::span<const std::uint8_t> bytes) override {
    one_.add(bytes);
    two_.add(bytes);
    return true;
  }

 private:
  Sha256& one_;
  Sha256& two_;
};

// A page holds whole blocks' ends only, so what is kept and put back are whole pages.
SealedArea::Place kept_place(const Block& block) {
  return {block.index, block.offset, (block.size + kPage - 1) / kPage * kPage};
}

}  // namespace

// Finds the pages of a block that are not as they should be.
class LayerStore::Differences final : public delta::SegmentSink {
 public:
  Differences(Flash& flash, std::uint32_t to) : flash_(flash), to_(to) {}

  bool write(std::span<const std::uint8_t> wanted) override {
    Piece is;
    const auto part = std::span(is).first(wanted.size());
    const bool same = flash_.read(to_ + done_, part) == Flash::Result::kOk && std::ranges::equal(part, wanted);
    if (!same) pages_[done_ / kPage] = true;
    done_ += static_cast<std::uint32_t>(wanted.size());
    return true;
  }

  // The rest, up to `size`, is to be erased.
  void end(std::uint32_t size) {
    Piece erased;
    erased.fill(0xFF);
    while (done_ < size) {
      write(std::span(erased).first(std::min<std::size_t>(erased.size() - done_ % erased.size(), size - done_)));
    }
  }

  const PageSet& pages() const { return pages_; }
  bool none() const {
    return std::ranges::none_of(pages_, [](bool page) { return page; });
  }

 private:
  Flash& flash_;
  std::uint32_t to_;
  std::uint32_t done_ = 0;
  PageSet pages_{};
};

// Writes those pages anew.
class LayerStore::Replacement final : public delta::SegmentSink {
 public:
  Replacement(Flash& flash, std::uint32_t to, const PageSet& pages) : flash_(flash), to_(to), pages_(pages) {}

  bool write(std::span<const std::uint8_t> bytes) override {
    const std::uint32_t at = done_;
    done_ += static_cast<std::uint32_t>(bytes.size());
    if (!pages_[at / kPage]) return true;
    if (at % kPage == 0 && flash_.erase_page(to_ + at) != Flash::Result::kOk) return false;
    Piece piece;
    piece.fill(0xFF);
    std::ranges::copy(bytes, piece.begin());
    const std::size_t whole = (bytes.size() + kQuadWord - 1) / kQuadWord * kQuadWord;
    return flash_.program(to_ + at, std::span(piece).first(whole)) == Flash::Result::kOk;
  }

  // Pages without any content are erased.
  bool end(std::uint32_t size) {
    for (std::uint32_t page = (done_ + kPage - 1) / kPage; page * kPage < size; ++page) {
      if (pages_[page] && flash_.erase_page(to_ + page * kPage) != Flash::Result::kOk) return false;
    }
    return true;
  }

 private:
  Flash& flash_;
  std::uint32_t to_;
  const PageSet& pages_;
  std::uint32_t done_ = 0;
};

LayerStore::LayerStore(Flash& flash)
    : flash_(flash),
      staging_(flash, flash_map::kStaging, flash_map::kStagingIndex),
      undo_(flash, flash_map::kUndo, flash_map::kUndoIndex) {}

void LayerStore::mount() {
  staging_.mount();
  undo_.mount();
}

void LayerStore::forget() {
  staging_.forget();
  undo_.forget();
}

bool LayerStore::add_installed(Sha256& sha, std::uint32_t offset, std::uint32_t size) {
  return read_pieces(flash_, installed_offset(offset), size, [&sha](std::span<const std::uint8_t> piece) {
    sha.add(piece);
    return true;
  });
}

bool LayerStore::installed(const Layer& layer) {
  Sha256 sha;
  Hash hash;
  return add_installed(sha, layer.start, layer.size) && sha.finish(hash) && hash == layer.measurement_hash;
}

bool LayerStore::installed(const Block& block, const Hash& wanted) {
  Sha256 sha;
  Hash hash;
  const std::uint32_t rest = installed_offset(block.offset + block.content);
  return add_installed(sha, block.offset, block.content) && sha.finish(hash) && hash == wanted &&
         read_pieces(flash_, rest, block.size - block.content, [](std::span<const std::uint8_t> piece) {
           return std::ranges::all_of(piece, [](std::uint8_t byte) { return byte == 0xFF; });
         });
}

bool LayerStore::add_staged(Sha256& content, Sha256& region, const Block& block) {
  Hashes both(content, region);
  if (staging_.holds(block.index)) return staging_.read(staged_place(block), both);
  return read_pieces(flash_, installed_offset(block.offset), block.content,
                     [&both](std::span<const std::uint8_t> piece) { return both.write(piece); });
}

LayerStore::Staged LayerStore::staged(const Manifest& manifest, std::size_t index, const ContentSizes& sizes) {
  const Layer& layer = manifest.layers[index];
  const LayerBlocks blocks(manifest, index, sizes);
  bool any = false;
  for (std::uint8_t i = 0; i < blocks.count(); ++i) any |= staging_.holds(blocks[i].index);
  if (!any && installed(layer)) return Staged::kGood;
  Sha256 content, region;
  for (std::uint8_t i = 0; i < blocks.count(); ++i) {
    const Block block = blocks[i];
    if (block.content != 0 && !add_staged(content, region, block)) return Staged::kDamaged;
    region.add_erased(block.size - block.content);
  }
  Hash hash;
  // The file of an encrypted layer is something else; its content has the hashes of its segments and its region.
  if (!content.finish(hash) || (!manifest.encrypted && hash != layer.fetch_hash)) return Staged::kWrongContent;
  return region.finish(hash) && hash == layer.measurement_hash ? Staged::kGood : Staged::kWrongRegion;
}

bool LayerStore::install(const Block& block, bool keep) {
  if (block.content == 0) return put(block, 0, nullptr, {}, keep);
  if (!staging_.holds(block.index)) return true;
  return put(block, block.content, &staging_, staged_place(block), keep);
}

bool LayerStore::restore(const Block& block) {
  if (!undo_.holds(block.index)) return true;
  const SealedArea::Place place = kept_place(block);
  return put(block, place.size, &undo_, place, false);
}

// `from`: null if the whole block is to be erased.
bool LayerStore::put(const Block& block, std::uint32_t content, SealedArea* from, const SealedArea::Place& place,
                     bool keep) {
  const std::uint32_t to = installed_offset(block.offset);
  const std::uint32_t size = std::max(block.size, content);
  Differences differences(flash_, to);
  if (from != nullptr && !from->read(place, differences)) return false;
  differences.end(size);
  if (differences.none()) return true;
  if (keep && !undo_.holds(block.index) && !this->keep(block)) return false;
  Replacement replacement(flash_, to, differences.pages());
  if (from != nullptr && !from->read(place, replacement)) return false;
  return replacement.end(size);
}

// Once the block is kept it may be half replaced, so it is never kept twice. Around the layers of the bundle that runs
// may lie what power once cut short: it cannot be read, and nobody misses it.
bool LayerStore::keep(const Block& block) {
  const SealedArea::Place place = kept_place(block);
  if (!undo_.begin(place)) return false;
  std::array<std::uint8_t, kQuadWord> bytes;
  for (std::uint32_t at = 0; at < place.size; at += kQuadWord) {
    if (flash_.read(installed_offset(block.offset) + at, bytes) != Flash::Result::kOk) bytes.fill(0xFF);
    if (!undo_.write(bytes)) return false;
  }
  return undo_.finish();
}

}  // namespace mv::update
