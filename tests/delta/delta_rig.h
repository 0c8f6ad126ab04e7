// A device that only rebuilds segments: the old image and the output in memory, each watched for being overrun.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <tl/expected.hpp>

#include "core/update/delta/segment_decoder.h"
#include "delta/encoder.h"

namespace mv::delta::rig {

using Bytes = std::vector<std::uint8_t>;
using update::delta::DecodeError;

// Aborts if it is asked for bytes that it does not have. `fail_at`: the read, counted from 0, that fails.
class Old final : public update::delta::OldImage {
 public:
  explicit Old(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  std::uint32_t size() const override { return static_cast<std::uint32_t>(bytes_.size()); }
  bool read(std::uint32_t offset, std::span<std::uint8_t> out) override;

  std::size_t fail_at = SIZE_MAX;

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t reads_ = 0;
};

// Aborts if it is given more than `limit` bytes.
class Sink final : public update::delta::SegmentSink {
 public:
  explicit Sink(std::size_t limit) : limit_(limit) {}

  bool write(std::span<const std::uint8_t> bytes) override;

  Bytes bytes;
  std::size_t fail_at = SIZE_MAX;

 private:
  std::size_t limit_;
  std::size_t writes_ = 0;
};

struct Rebuilt {
  Bytes bytes;
  std::size_t taken = 0;  // bytes of the record
  bool done = false;
};

// Gives `record` to a fresh decoder, in pieces of `piece` bytes.
tl::expected<Rebuilt, DecodeError> decode(std::span<const std::uint8_t> old, std::span<const std::uint8_t> record,
                                          std::uint32_t place, std::uint32_t size, std::size_t piece = SIZE_MAX);

// The image that the segments' records make, one after the other in one stream, taken in pieces of `piece` bytes by one
// decoder. Aborts on an error or if something is left over.
Bytes decode_image(std::span<const std::uint8_t> old, std::span<const Segment> segments, std::size_t piece = SIZE_MAX);

}  // namespace mv::delta::rig
