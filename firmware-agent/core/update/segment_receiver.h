// Takes the record of one segment, opens it if the bundle is encrypted, rebuilds the segment from it and the old image,
// and stages it, sealed with this update's own key.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/update/blocks.h"
#include "core/update/content_key.h"
#include "core/update/delta/segment_decoder.h"
#include "core/update/layer_store.h"

namespace mv::update {

// What is installed, as one image: the contents of the layers of a bundle, one after the other.
class InstalledImage final : public delta::OldImage {
 public:
  explicit InstalledImage(Flash& flash) : flash_(flash) {}

  // `bundle` must be installed, and the sizes of its contents known, while segments are rebuilt; null: there is none.
  void use(const Manifest* bundle);

  std::uint32_t size() const override { return size_; }
  bool read(std::uint32_t offset, std::span<std::uint8_t> out) override;

 private:
  Flash& flash_;
  const Manifest* bundle_ = nullptr;
  std::uint32_t size_ = 0;
};

class SegmentReceiver final : private delta::SegmentSink {
 public:
  SegmentReceiver(LayerStore& layers, delta::OldImage& old) : layers_(layers), decoder_(old, *this) {}

  // Begins a segment. `hash`: what it must have; null if only the hash of the whole layer is known.
  bool begin(const Block& block, const Hash* hash);

  // The same of an encrypted layer; `size`: bytes that come. False too if they are too few or too many.
  bool begin_sealed(const Block& block, const Hash& hash, const ContentKey& key, std::uint32_t layer,
                    std::uint32_t size);

  enum class Result : std::uint8_t {
    kMore,
    kWhole,        // and staged
    kWrongRecord,  // it makes no sense, or something else than the hash says
    kFlashRefused,
    kDoesNotOpen,  // not sealed with the bundle's key, or changed
  };
  Result take(std::span<const std::uint8_t> bytes);

 private:
  Result take_sealed(std::span<const std::uint8_t> bytes);
  Result rebuild(std::span<const std::uint8_t> record);
  Result finish();
  bool write(std::span<const std::uint8_t> bytes) override;

  LayerStore& layers_;
  delta::SegmentDecoder decoder_;
  std::optional<Sha256> sha_;
  std::optional<Hash> hash_;

  bool sealed_ = false;
  Result rebuilt_ = Result::kMore;  // of a sealed segment: how it went so far, to be told when its end is known
  SegmentOpener opener_;
};

}  // namespace mv::update
