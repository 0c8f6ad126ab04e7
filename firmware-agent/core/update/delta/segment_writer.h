// Where the decoder's output goes: the bytes of one segment, its own or the old image's, never beyond its end.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include <tl/expected.hpp>

#include "core/update/delta/decode_error.h"
#include "core/update/delta/segment_ports.h"

namespace mv::update::delta {

using Done = tl::expected<void, DecodeError>;

class SegmentWriter {
 public:
  SegmentWriter(OldImage& old, SegmentSink& sink) : old_(old), sink_(sink) {}

  void begin(std::uint32_t size);

  std::uint32_t left() const { return left_; }  // bytes until the segment is whole
  std::uint32_t old_size() const { return old_.size(); }

  // The old image has all of [offset, offset + size).
  bool in_old(std::uint32_t offset, std::uint32_t size) const {
    return offset <= old_.size() && size <= old_.size() - offset;
  }

  // New bytes. Errors: kBadOperation (more than `left`), kSinkRefused.
  Done write(std::span<const std::uint8_t> bytes);

  // Bytes of the old image. Errors: kBadOperation (more than `left`), kOutsideOld, kOldUnreadable, kSinkRefused.
  Done copy(std::uint32_t offset, std::uint32_t size);

  // Up to two bytes of the old image with `difference` added to them as a little-endian number. Errors: those of
  // `copy`.
  Done copy_changed(std::uint32_t offset, std::uint32_t size, std::uint16_t difference);

  // Hands over what is still in the buffer. Error: kSinkRefused.
  Done flush();

 private:
  Done reserve(std::uint32_t size);

  OldImage& old_;
  SegmentSink& sink_;
  std::uint32_t left_ = 0;
  std::uint32_t filled_ = 0;
  std::array<std::uint8_t, 256> buffer_;
};

}  // namespace mv::update::delta
