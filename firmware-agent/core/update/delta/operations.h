// The operations of a delta segment, carried out as their bytes come.
//
//   operation = varint(length << 1 | 1) length bytes                       new bytes
//             | varint(length << 1) varint(zigzag(seek)) edit* varint(gap)   old bytes, edited; the last gap covers the
//             rest
//   edit      = varint(gap) varint(zigzag(difference))
//
// Lengths are in bytes of output and never 0. A seek counts from where the last old bytes ended, the first one from the
// segment's own place. An edit leaves `gap` half-words as they are and adds `difference` to the next one, modulo 2^16.
#pragma once

#include <cstdint>
#include <span>

#include "core/update/delta/segment_writer.h"
#include "core/update/delta/varint_reader.h"

namespace mv::update::delta {

class Operations {
 public:
  explicit Operations(SegmentWriter& writer) : writer_(writer) {}

  // `place`: of the segment in the new image.
  void begin(std::uint32_t place);

  // The next bytes. Errors: kBadHeader (a varint beyond 32 bits), kBadOperation (one that writes nothing, beyond the
  // segment, or edits beyond its end), kTrailing (bytes after the segment's last operation), and those of the writer.
  Done push(std::span<const std::uint8_t> bytes);

  // Between operations, so the segment may end here.
  bool idle() const { return step_ == Step::kHead; }

 private:
  enum class Step : std::uint8_t { kHead, kSeek, kGap, kDifference, kNew };

  Done on_number(std::uint32_t number);
  Done on_head(std::uint32_t number);
  Done on_seek(std::uint32_t number);
  Done on_gap(std::uint32_t number);
  Done on_difference(std::uint32_t number);
  void advance(std::uint32_t size);

  SegmentWriter& writer_;
  VarintReader varint_;
  Step step_ = Step::kHead;
  std::uint32_t left_ = 0;  // bytes of output that the operation still makes
  std::uint32_t old_ = 0;   // where the next old bytes are
};

}  // namespace mv::update::delta
