// Rebuilds one segment of a new image from its record and the old image (docs/delta-format.md).
//
// The record is untrusted: whatever it says, output never exceeds the segment, reads of the old image stay inside it,
// and work is bounded by the sizes. Whether the bytes are the right ones is for the caller to check: the signed
// manifest has the hash of each segment. Records stand one after the other in a stream; each begins afresh, so that is
// where a lost link goes on.
//
// 11.3 KiB of memory, no heap, 6.9 KiB of code with LZMA (size_probe.ld is the budget). One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <tl/expected.hpp>

#include "core/update/delta/decode_error.h"
#include "core/update/delta/lzma_stream.h"
#include "core/update/delta/operations.h"
#include "core/update/delta/segment_ports.h"
#include "core/update/delta/segment_writer.h"
#include "core/update/delta/varint_reader.h"
#include "wire/delta_format.h"

namespace mv::update::delta {

class SegmentDecoder {
 public:
  SegmentDecoder(OldImage& old, SegmentSink& sink) : writer_(old, sink), operations_(writer_) {}

  // Begins the segment that is `size` bytes (1 to kSegmentSize) at `place` of the new image.
  void begin(std::uint32_t place, std::uint32_t size);

  // Takes bytes of the record, any number of them. Returns how many: all, but for those after the record's end. A piece
  // may cause as much work as the rest of the segment takes.
  //
  // Errors: all of DecodeError. After one, and when `done`, nothing is taken until `begin`.
  tl::expected<std::size_t, DecodeError> push(std::span<const std::uint8_t> input);

  // The segment is whole and handed over.
  bool done() const { return step_ == Step::kDone; }

 private:
  enum class Step : std::uint8_t { kKind, kSize, kFrom, kPlain, kPacked, kPayload, kDone, kFailed };

  Done take(std::span<const std::uint8_t>& input);
  Done on_kind(std::uint8_t byte);
  Done on_number(std::uint32_t number);
  Done on_size(std::uint32_t number);
  Done on_payload_size(std::uint32_t number);
  Done on_payload(std::span<const std::uint8_t>& input);
  Done on_packed(std::span<const std::uint8_t>& input);
  Done copy(std::uint32_t from);
  Done finish();

  SegmentWriter writer_;
  Operations operations_;
  LzmaStream lzma_;
  VarintReader varint_;
  Step step_ = Step::kDone;
  mv::delta::Kind kind_ = mv::delta::Kind::kSame;
  std::uint32_t place_ = 0;
  std::uint32_t size_ = 0;
  std::uint32_t plain_ = 0;  // bytes that the payload unpacks to
};

}  // namespace mv::update::delta
