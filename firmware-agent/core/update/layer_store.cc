#include "core/update/layer_store.h"

#include <algorithm>
#include <array>

#include "core/platform/flash_map.h"
#include "core/storage/flash_units.h"

namespace mv::update {
namespace {

using storage::kPage;
using storage::kQuadWord;

using Piece = std::array<std::uint8_t, 256>;

}  // namespace

bool LayerStore::add_flash(Sha256& sha, std::uint32_t offset, std::uint32_t size) {
  Piece piece;
  for (std::uint32_t done = 0; done < size;) {
    const auto part = std::span(piece).first(std::min<std::uint32_t>(piece.size(), size - done));
    if (flash_.read(offset + done, part) != Flash::Result::kOk) return false;
    sha.add(part);
    done += static_cast<std::uint32_t>(part.size());
  }
  return true;
}

bool LayerStore::installed(const Layer& layer) {
  Sha256 sha;
  Hash hash;
  return add_flash(sha, installed_offset(layer), layer.size) && sha.finish(hash) && hash == layer.measurement_hash;
}

LayerStore::Staged LayerStore::staged(const Layer& layer, std::uint32_t content_size) {
  Hash hash;
  Sha256 content;
  const std::uint32_t offset = staging_offset(layer);
  if (!add_flash(content, offset, content_size) || !content.finish(hash) || hash != layer.fetch_hash) {
    return Staged::kWrongContent;
  }
  Sha256 region;
  if (!add_flash(region, offset, content_size)) return Staged::kWrongContent;
  region.add_erased(layer.size - content_size);
  return region.finish(hash) && hash == layer.measurement_hash ? Staged::kGood : Staged::kWrongRegion;
}

// The page at `to` holds `content` bytes of `from` and 0xFF after them, `size` bytes in all.
bool LayerStore::page_is_right(std::uint32_t to, std::uint32_t from, std::uint32_t content, std::uint32_t size) {
  Piece is, wanted;
  for (std::uint32_t done = 0; done < size;) {
    const std::uint32_t part = std::min<std::uint32_t>(is.size(), size - done);
    const std::uint32_t copied = done < content ? std::min(part, content - done) : 0;
    wanted.fill(0xFF);
    if (flash_.read(to + done, std::span(is).first(part)) != Flash::Result::kOk) return false;
    if (flash_.read(from + done, std::span(wanted).first(copied)) != Flash::Result::kOk) return false;
    if (!std::equal(is.begin(), is.begin() + part, wanted.begin())) return false;
    done += part;
  }
  return true;
}

bool LayerStore::install_page(const Layer& layer, std::uint32_t content_size, std::uint32_t page) {
  const std::uint32_t to = installed_offset(layer) + page;
  const std::uint32_t from = staging_offset(layer) + page;
  const std::uint32_t size = std::min(kPage, layer.size - page);
  const std::uint32_t content = page < content_size ? std::min(kPage, content_size - page) : 0;
  if (page_is_right(to, from, content, size)) return true;
  if (flash_.erase_page(to) != Flash::Result::kOk) return false;
  Piece piece;
  for (std::uint32_t done = 0; done < content;) {
    const std::uint32_t part = std::min<std::uint32_t>(piece.size(), content - done);
    piece.fill(0xFF);
    if (flash_.read(from + done, std::span(piece).first(part)) != Flash::Result::kOk) return false;
    const std::uint32_t whole = (part + kQuadWord - 1) / kQuadWord * kQuadWord;
    if (flash_.program(to + done, std::span(piece).first(whole)) != Flash::Result::kOk) return false;
    done += part;
  }
  return true;
}

}  // namespace mv::update
