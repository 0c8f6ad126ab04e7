// What of a new image is in an old one, roughly or exactly: the matching of bsdiff.
//
// Source: Colin Percival, "Naive differences of executable code", 2003. Approximate matches grow from exact ones, found
// in a suffix array, as long as at least half of the bytes agree; so code whose addresses moved still matches.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <tl/expected.hpp>

#include "delta/error.h"

namespace mv::delta {

// A part of the new image: made from the old one, or of new bytes.
struct Piece {
  std::uint32_t place = 0;  // in the new image
  std::uint32_t size = 0;   // bytes
  bool from_old = false;
  std::uint32_t old_place = 0;  // if from_old; the bytes there need not be equal

  bool operator==(const Piece&) const = default;
};

class Matcher {
 public:
  // Sorts the suffixes of `old`, which must outlive the matcher. About 5 bytes of memory a byte.
  //
  // Errors: kTooBig (above kMaxImage), kOutOfMemory.
  static tl::expected<Matcher, Error> create(std::span<const std::uint8_t> old);

  // Pieces that cover `image`, in order, none of them empty.
  std::vector<Piece> match(std::span<const std::uint8_t> image) const;

  struct Exact {
    std::uint32_t old_place = 0;
    std::uint32_t size = 0;
  };
  // The longest beginning of `bytes` that the old image has somewhere; size 0 if it has not even the first byte.
  Exact longest(std::span<const std::uint8_t> bytes) const;

  std::span<const std::uint8_t> old() const { return old_; }

 private:
  explicit Matcher(std::span<const std::uint8_t> old) : old_(old) {}

  std::span<const std::uint8_t> old_;
  std::vector<std::int32_t> suffixes_;  // places in `old_`, in the order of what stands there
};

}  // namespace mv::delta
