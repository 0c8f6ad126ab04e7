#include "core/link/blob_client.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace mv::link {
namespace {

template <typename Bytes>
void put(Bytes& to, const std::array<std::uint8_t, 32>& hash) {
  to.size = static_cast<pb_size_t>(hash.size());
  std::ranges::copy(hash, to.bytes);
}

}  // namespace

bool BlobClient::fetch(std::span<const std::uint8_t, 32> hash, std::uint32_t offset, std::uint32_t length,
                       BlobSink& sink) {
  if (!ready() || length == 0) return false;
  std::ranges::copy(hash, hash_.begin());
  left_ = length;
  next_ = offset;
  query_ = {};
  begin(sink);
  return true;
}

bool BlobClient::fetch_segments(const SegmentQuery& query, BlobSink& sink) {
  if (!ready() || query.wanted == 0) return false;
  query_ = query;
  next_ = 0;
  begin(sink);
  return true;
}

void BlobClient::begin(BlobSink& sink) {
  ++request_;
  sink_ = &sink;
  sent_ = false;
}

void BlobClient::disconnected() {
  connected_ = false;
  interrupt();
}

void BlobClient::interrupt() {
  if (BlobSink* sink = std::exchange(sink_, nullptr)) sink->on_interrupted();
}

std::size_t BlobClient::encode_request(std::span<std::uint8_t> out) {
  mv_wire_BlobRequest message = mv_wire_BlobRequest_init_zero;
  message.request = request_;
  if (query_.wanted != 0) {
    message.has_segments = true;
    message.segments.layer = query_.layer;
    message.segments.wanted = query_.wanted;
    put(message.segments.manifest, query_.manifest);
    if (query_.has_from) put(message.segments.from, query_.from);
  } else {
    put(message.hash, hash_);
    message.offset = next_;
    message.length = left_;
  }
  sent_ = true;
  return encode(message, out);
}

bool BlobClient::receive(std::span<const std::uint8_t> payload) {
  const auto chunk = decode_chunk(payload);
  if (!chunk) return false;
  if (sink_ == nullptr || !sent_ || chunk->request != request_) return true;  // of a fetch that was cancelled
  if (chunk->missing) {
    std::exchange(sink_, nullptr)->on_missing();
    return true;
  }
  const auto size = static_cast<std::uint32_t>(chunk->data.size());
  const bool fits = chunk->offset == next_ && size > 0 && chunk->total >= size && chunk->offset <= chunk->total - size;
  if (!fits) {
    interrupt();
  } else if (query_.wanted != 0) {
    take_record(*chunk);
  } else {
    take_bytes(*chunk);
  }
  return true;
}

void BlobClient::take_bytes(const BlobChunk& chunk) {
  const auto size = static_cast<std::uint32_t>(chunk.data.size());
  if (size > left_) return interrupt();
  next_ += size;
  left_ -= size;
  const std::uint32_t request = request_;
  sink_->on_chunk(chunk.offset, chunk.data, chunk.total);
  if (left_ == 0 && request == request_) finish();
}

void BlobClient::take_record(const BlobChunk& chunk) {
  if (chunk.segment != static_cast<std::uint32_t>(std::countr_zero(query_.wanted))) return interrupt();
  next_ += static_cast<std::uint32_t>(chunk.data.size());
  const bool whole = next_ == chunk.total;
  if (whole) {
    next_ = 0;
    query_.wanted &= query_.wanted - 1;
  }
  const bool last = query_.wanted == 0;
  const std::uint32_t request = request_;
  sink_->on_record(chunk.segment, chunk.offset, chunk.data, chunk.total);
  if (last && request == request_) finish();
}

// The sink may have cancelled, and even begun another fetch, from within.
void BlobClient::finish() {
  if (BlobSink* sink = std::exchange(sink_, nullptr)) sink->on_fetched();
}

}  // namespace mv::link
