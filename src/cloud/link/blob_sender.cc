#include "cloud/link/blob_sender.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace mv::cloud {
namespace {

// Bytes around the data of a chunk, at most: four varints of five bytes, five keys, the length of the data, a flag.
constexpr std::size_t kOverhead = 32;

}  // namespace

void BlobSender::begin(const wire::BlobRequest& request, const std::string& app_sid) {
  Answer answer;
  answer.request = request.request();
  answer.hash = request.hash();
  const auto blob = services_.store.app_blob(app_sid, request.hash());
  answer.missing = app_sid.empty() || !blob || blob->size > UINT32_MAX;
  if (!answer.missing) {
    answer.total = static_cast<std::uint32_t>(blob->size);
    answer.offset = std::min(request.offset(), answer.total);
    answer.end = answer.offset + std::min(request.length(), answer.total - answer.offset);
  }
  answer_ = answer;
}

std::optional<std::string> BlobSender::next(std::size_t room) {
  if (!answer_ || room < kOverhead + 1) return std::nullopt;
  wire::BlobChunk chunk;
  chunk.set_request(answer_->request);
  chunk.set_offset(answer_->offset);
  chunk.set_total(answer_->total);
  if (!answer_->missing) {
    const std::size_t size = std::min({std::size_t{answer_->end - answer_->offset}, kChunk, room - kOverhead});
    // A small rest of credit would cut a blob into slivers: wait for more of it.
    if (size < std::min<std::size_t>(answer_->end - answer_->offset, kChunk / 2)) return std::nullopt;
    auto data = services_.blobs.read(answer_->hash, answer_->offset, size);
    if (!data || data->size() != size) {
      spdlog::error("a blob that the database names is not whole: {}", data ? to_hex(answer_->hash) : data.error());
      answer_->missing = true;
    } else {
      answer_->offset += static_cast<std::uint32_t>(size);
      chunk.set_data(std::move(*data));
    }
  }
  chunk.set_missing(answer_->missing);
  services_.metrics.add("mvcloud_blob_bytes_total", static_cast<std::int64_t>(chunk.data().size()));
  if (answer_->missing || answer_->offset == answer_->end) answer_.reset();
  return chunk.SerializeAsString();
}

}  // namespace mv::cloud
