#include "cloud/link/blob_sender.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <bit>

namespace mv::cloud {
namespace {

// Bytes around the data of a chunk, at most: six keys, four varints of five bytes, the data's length, a flag.
constexpr std::size_t kOverhead = 32;

// How much of `left` bytes goes into the next chunk. A small rest of credit would cut it into slivers: 0 waits for
// more.
std::size_t piece(std::size_t left, std::size_t room) {
  const std::size_t size = std::min({left, BlobSender::kChunk, room});
  return size < std::min(left, BlobSender::kChunk / 2) ? 0 : size;
}

// What the records are made from and to, if the request is for segments of what the device is to run.
std::optional<DeltaPair> pair_for(Store& store, const wire::SegmentRequest& segments, const Device& device) {
  if (device.desired.app_sid.empty()) return std::nullopt;
  const auto target = store.app(device.account_sid, device.desired.app_sid);
  if (!target || target->manifest.hash != segments.manifest()) return std::nullopt;
  return delta_pair(store, device.account_sid, segments.from(), target->manifest.hash);
}

// The layer is there, and so is each segment that is wanted; at least one is.
bool can_answer(const DeltaRecords& records, std::uint32_t layer, std::uint32_t wanted) {
  if (layer >= records.layers().size() || wanted == 0) return false;
  const auto highest = static_cast<std::size_t>(std::bit_width(wanted));
  return records.layers()[layer].served && highest <= records.layers()[layer].records.size();
}

}  // namespace

void BlobSender::begin(const wire::BlobRequest& request, const Device& device, const std::optional<Blob>& microvisor) {
  answer_ = {};
  waiting_.reset();
  if (request.has_segments()) return begin_segments(request.request(), request.segments(), device);
  answer_ = answer_for_bytes(request, device, microvisor);
}

BlobSender::Answer BlobSender::answer_for_bytes(const wire::BlobRequest& request, const Device& device,
                                                const std::optional<Blob>& microvisor) const {
  const bool is_microvisor = microvisor && microvisor->hash == request.hash();
  const auto blob =
      is_microvisor ? Stored<Blob>(*microvisor) : services_.store.app_blob(device.desired.app_sid, request.hash());
  if (!blob || blob->size > UINT32_MAX) return MissingAnswer{request.request()};
  BytesAnswer answer;
  answer.request = request.request();
  answer.hash = request.hash();
  answer.total = static_cast<std::uint32_t>(blob->size);
  answer.offset = std::min(request.offset(), answer.total);
  answer.end = answer.offset + std::min(request.length(), answer.total - answer.offset);
  return answer;
}

void BlobSender::begin_segments(std::uint32_t request, const wire::SegmentRequest& segments, const Device& device) {
  const auto pair = pair_for(services_.store, segments, device);
  if (!pair || services_.deltas == nullptr) {
    answer_ = MissingAnswer{request};
    return;
  }
  const auto ready = [this, request, layer = segments.layer(), wanted = segments.wanted()](Deltas::Records records) {
    if (records && can_answer(*records, layer, wanted)) {
      answer_ = SegmentsAnswer{request, std::move(records), layer, wanted, 0};
    } else {
      answer_ = MissingAnswer{request};
    }
    wake_();
  };
  waiting_ = services_.deltas->get(*pair, ready);
}

std::optional<std::string> BlobSender::next(std::size_t room) {
  if (room < kOverhead + 1) return std::nullopt;
  wire::BlobChunk chunk;
  const auto fill_chunk = [&](auto& answer) { return fill(answer, room - kOverhead, chunk); };
  if (!std::visit(fill_chunk, answer_)) return std::nullopt;
  services_.metrics.add("mvcloud_blob_bytes_total", static_cast<std::int64_t>(chunk.data().size()));
  return chunk.SerializeAsString();
}

bool BlobSender::fill(MissingAnswer& answer, std::size_t, wire::BlobChunk& chunk) {
  chunk.set_request(answer.request);
  chunk.set_missing(true);
  answer_ = {};
  return true;
}

bool BlobSender::fill(BytesAnswer& answer, std::size_t room, wire::BlobChunk& chunk) {
  const std::size_t size = piece(answer.end - answer.offset, room);
  if (size == 0 && answer.offset < answer.end) return false;
  auto data = services_.blobs.read(answer.hash, answer.offset, size);
  if (!data || data->size() != size) {
    spdlog::error("a blob that the database names is not whole: {}", data ? to_hex(answer.hash) : data.error());
    MissingAnswer missing{answer.request};
    return fill(missing, room, chunk);
  }
  chunk.set_request(answer.request);
  chunk.set_offset(answer.offset);
  chunk.set_total(answer.total);
  chunk.set_data(std::move(*data));
  answer.offset += static_cast<std::uint32_t>(size);
  if (answer.offset == answer.end) answer_ = {};
  return true;
}

bool BlobSender::fill(SegmentsAnswer& answer, std::size_t room, wire::BlobChunk& chunk) {
  const auto segment = static_cast<std::uint32_t>(std::countr_zero(answer.wanted));
  const std::string_view record = answer.records->layers()[answer.layer].records[segment];
  const std::string_view data = record.substr(answer.offset, piece(record.size() - answer.offset, room));
  if (data.empty()) return false;
  chunk.set_request(answer.request);
  chunk.set_segment(segment);
  chunk.set_offset(answer.offset);
  chunk.set_total(static_cast<std::uint32_t>(record.size()));
  chunk.set_data(std::string(data));
  services_.metrics.add("mvcloud_record_bytes_total", static_cast<std::int64_t>(data.size()));
  answer.offset += static_cast<std::uint32_t>(data.size());
  if (answer.offset < record.size()) return true;
  answer.offset = 0;
  answer.wanted &= answer.wanted - 1;
  if (answer.wanted == 0) answer_ = {};
  return true;
}

}  // namespace mv::cloud
