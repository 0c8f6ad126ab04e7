// The device link's messages as bytes: nanopb encoding and decoding of wire/proto/link.proto, within one frame's
// payload.
//
// Encoders return the bytes used of `out`, 0 if the message does not fit. Decoders check everything that the schema
// bounds; what they give points into the payload where it says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/link/peers.h"
#include "wire/proto/link.nanopb.h"

namespace mv::link {

std::size_t encode(const mv_wire_DeviceControl& message, std::span<std::uint8_t> out);
std::size_t encode(const mv_wire_BlobRequest& message, std::span<std::uint8_t> out);

struct ControlMessage {
  mv_wire_CloudControl body;
  std::span<const std::uint8_t> key_change;  // points into the payload; empty: it is one of the body's messages
};

// None: malformed, or longer than the device's limits.
std::optional<ControlMessage> decode_control(std::span<const std::uint8_t> payload);

struct BlobChunk {
  std::uint32_t request;
  std::uint32_t offset;
  std::span<const std::uint8_t> data;  // points into the payload
  std::uint32_t total;
  bool missing;
  std::uint32_t segment;  // if segments were asked for
};

std::optional<BlobChunk> decode_chunk(std::span<const std::uint8_t> payload);

struct EncodedBatch {
  std::size_t size = 0;             // bytes of `out`; 0: nothing to send
  std::uint64_t last_sequence = 0;  // of the last record in it
};

// Puts as many records with a sequence above `after` into one LogBatch as fit. A record whose text alone would not fit,
// or is longer than LogSource::kMaxText, is cut.
EncodedBatch encode_logs(LogSource& logs, std::uint64_t after, std::span<std::uint8_t> out);

}  // namespace mv::link
