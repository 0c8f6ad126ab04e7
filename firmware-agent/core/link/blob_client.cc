#include "core/link/blob_client.h"

#include <algorithm>
#include <utility>

#include "core/link/messages.h"

namespace mv::link {

bool BlobClient::fetch(std::span<const std::uint8_t, 32> hash, std::uint32_t offset, std::uint32_t length,
                       BlobSink& sink) {
  if (!ready() || length == 0) return false;
  std::copy(hash.begin(), hash.end(), hash_.begin());
  ++request_;
  next_ = offset;
  left_ = length;
  sink_ = &sink;
  sent_ = false;
  return true;
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
  message.hash.size = static_cast<pb_size_t>(hash_.size());
  std::copy(hash_.begin(), hash_.end(), message.hash.bytes);
  message.offset = next_;
  message.length = left_;
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
  const bool fits = chunk->offset == next_ && size > 0 && size <= left_ && chunk->total >= size &&
                    chunk->offset <= chunk->total - size;
  if (!fits) {
    interrupt();
    return true;
  }
  next_ += size;
  left_ -= size;
  sink_->on_chunk(chunk->offset, chunk->data, chunk->total);
  // The sink may have cancelled, and even begun another fetch, from within.
  if (left_ == 0 && sink_ != nullptr && sent_) std::exchange(sink_, nullptr)->on_fetched();
  return true;
}

}  // namespace mv::link
