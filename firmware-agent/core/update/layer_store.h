// Where the blocks of bundles are: installed in the application's area, staged to be installed, or kept to be put back.
//
// Staged and kept blocks are sealed. Every call that writes may be cut off by power at any moment and be made again.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/platform/flash_map.h"
#include "core/platform/ports.h"
#include "core/update/blocks.h"
#include "core/update/manifest.h"
#include "core/update/sealed_area.h"

namespace mv::update {

class LayerStore {
 public:
  explicit LayerStore(Flash& flash);

  // Once, before anything else.
  void mount();

  // The update that staged and kept blocks belong to; of any other one none are there.
  bool use(const UpdateKey& key) { return staging_.use(key) && undo_.use(key); }
  void forget();

  SealedArea& staging() { return staging_; }
  static SealedArea::Place staged_place(const Block& block) { return {block.index, block.offset, block.content}; }

  // The installed region is what the manifest says, every byte of it.
  bool installed(const Layer& layer);

  // The content that is installed at the block has this hash, and nothing follows it.
  bool installed(const Block& block, const Hash& hash);

  enum class Staged : std::uint8_t {
    kGood,
    kDamaged,       // a block that was staged does not open
    kWrongContent,  // blocks open, and the content is not what was to be fetched
    kWrongRegion,   // the content is, and would not make the region that the manifest measures
  };

  // What would be installed: each block as it is staged, or else as it is installed already. Of a layer that is
  // installed already, and nothing of it staged, the size need not be known.
  Staged staged(const Manifest& manifest, std::size_t layer, const ContentSizes& sizes);

  // Brings the installed block to what is staged, if anything is. `keep`: what is replaced can be put back later. False
  // if a flash refused, or the staged block does not open: the block may be half of each then.
  bool install(const Block& block, bool keep);

  // Puts back what `install` replaced, if it did. False as above.
  bool restore(const Block& block);

  static std::uint32_t installed_offset(std::uint32_t offset) { return flash_map::kApplication.offset + offset; }

 private:
  static constexpr std::uint32_t kPages = kBlockSize / Flash::kPage;
  using PageSet = std::array<bool, kPages>;

  // Takes the bytes that a block is to have, for whichever reason.
  class Differences;
  class Replacement;

  bool add_installed(Sha256& sha, std::uint32_t offset, std::uint32_t size);
  bool add_staged(Sha256& content, Sha256& region, const Block& block);
  bool put(const Block& block, std::uint32_t content, SealedArea* from, const SealedArea::Place& place, bool keep);
  bool keep(const Block& block);

  Flash& flash_;
  SealedArea staging_;
  SealedArea undo_;
};

}  // namespace mv::update
