// The device's end of the blob stream: one request at a time, its answer checked piece by piece.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/link/messages.h"
#include "core/link/peers.h"

namespace mv::link {

class BlobClient final : public BlobFetcher {
 public:
  bool ready() const override { return connected_ && sink_ == nullptr; }
  bool fetch(std::span<const std::uint8_t, 32> hash, std::uint32_t offset, std::uint32_t length,
             BlobSink& sink) override;
  bool fetch_segments(const SegmentQuery& query, BlobSink& sink) override;
  void cancel() override { sink_ = nullptr; }

  // The link is there, or gone.
  void connected() { connected_ = true; }
  void disconnected();

  // True if a request is to be sent; `encode` writes it, and it then counts as sent.
  bool pending() const { return sink_ != nullptr && !sent_; }

  // True while a fetch is not over.
  bool open() const { return sink_ != nullptr; }
  std::size_t encode_request(std::span<std::uint8_t> out);

  // Payload of a DATA frame. False: it is not a BlobChunk, so the link is to be closed.
  bool receive(std::span<const std::uint8_t> payload);

 private:
  void begin(BlobSink& sink);
  void interrupt();
  void finish();
  void take_bytes(const BlobChunk& chunk);
  void take_record(const BlobChunk& chunk);

  bool connected_ = false;
  bool sent_ = false;
  BlobSink* sink_ = nullptr;  // of the open fetch
  std::uint32_t request_ = 0;
  std::uint32_t next_ = 0;  // offset of the next chunk, in the blob or the record

  // What was asked for: bytes of a blob while no segment is wanted.
  std::array<std::uint8_t, 32> hash_{};
  std::uint32_t left_ = 0;  // bytes still to come
  SegmentQuery query_{};    // `wanted`: segments whose records are not whole
};

}  // namespace mv::link
