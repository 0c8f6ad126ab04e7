// Makes deltas between images: one record a segment of the new one, each the smallest of what the format allows.
//
// Pure: bytes in, records out. What is made is not trusted by anybody; the device checks each rebuilt segment against
// the signed manifest.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <tl/expected.hpp>

#include "delta/error.h"
#include "delta/matcher.h"
#include "wire/delta_format.h"

namespace mv::delta {

struct Segment {
  std::uint32_t place = 0;  // in the new image
  std::uint32_t size = 0;   // bytes, 1 to kSegmentSize
  Kind kind = Kind::kSame;
  std::vector<std::uint8_t> record;  // what goes over the air
};

// "same", "copy", "delta", "compressed", "stored".
const char* name(Kind kind);

// Deltas from one old image, to any number of new ones.
class Encoder {
 public:
  // `old` (the old areas, one after the other) must outlive the encoder; it may be empty.
  //
  // Errors: kTooBig, kOutOfMemory.
  static tl::expected<Encoder, Error> create(std::span<const std::uint8_t> old);

  // The segments of `image`, in order: each of `layers` (sizes in bytes, in order) is cut anew, into kSegmentSize bytes
  // and what is left. A layer of no bytes has no segment.
  //
  // Errors: kTooBig, kBadLayers, kOutOfMemory.
  tl::expected<std::vector<Segment>, Error> encode(std::span<const std::uint8_t> image,
                                                   std::span<const std::uint32_t> layers) const;

  // An image of one layer.
  tl::expected<std::vector<Segment>, Error> encode(std::span<const std::uint8_t> image) const;

 private:
  explicit Encoder(Matcher matcher) : matcher_(std::move(matcher)) {}

  bool encode_from_old(Segment& segment, std::span<const std::uint8_t> wanted) const;
  tl::expected<void, Error> encode(Segment& segment, std::span<const std::uint8_t> image,
                                   std::span<const Piece> pieces) const;

  Matcher matcher_;
};

}  // namespace mv::delta
