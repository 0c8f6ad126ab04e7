// Where the layers of a bundle are: installed in the application's area, or staged in the staging area at the same
// place.
#pragma once

#include <cstdint>

#include "core/platform/flash_map.h"
#include "core/platform/ports.h"
#include "core/update/manifest.h"

namespace mv::update {

class LayerStore {
 public:
  explicit LayerStore(Flash& flash) : flash_(flash) {}

  // The installed region is what the manifest says, every byte of it.
  bool installed(const Layer& layer);

  enum class Staged : std::uint8_t { kGood, kWrongContent, kWrongRegion };

  // The staged content, `content_size` bytes: as it was fetched, and such that the region will be as it should.
  Staged staged(const Layer& layer, std::uint32_t content_size);

  // Makes one page of the installed region what the staged content says, if it is not already. Doing it twice is
  // harmless. `page`: offset within the region. False if the flash refused.
  bool install_page(const Layer& layer, std::uint32_t content_size, std::uint32_t page);

  static std::uint32_t staging_offset(const Layer& layer) { return flash_map::kStaging.offset + layer.start; }
  static std::uint32_t installed_offset(const Layer& layer) { return flash_map::kApplication.offset + layer.start; }

 private:
  bool add_flash(Sha256& sha, std::uint32_t offset, std::uint32_t size);
  bool page_is_right(std::uint32_t to, std::uint32_t from, std::uint32_t content, std::uint32_t size);

  Flash& flash_;
};

}  // namespace mv::update
