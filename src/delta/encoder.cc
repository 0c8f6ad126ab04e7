#include "delta/encoder.h"

#include <algorithm>
#include <utility>

#include "delta/lzma.h"
#include "delta/operations.h"

namespace mv::delta {
namespace {

using Bytes = std::span<const std::uint8_t>;
using Record = std::vector<std::uint8_t>;

Record header(Kind kind, std::uint32_t size) {
  Record record = {static_cast<std::uint8_t>(kVersion << 4 | static_cast<std::uint8_t>(kind))};
  put_varint(record, size);
  return record;
}

void append(Record& record, Bytes bytes) { record.insert(record.end(), bytes.begin(), bytes.end()); }

// Keeps the record if it is shorter than what the segment has.
void offer(Segment& segment, Kind kind, Record record) {
  if (!segment.record.empty() && record.size() >= segment.record.size()) return;
  segment.kind = kind;
  segment.record = std::move(record);
}

}  // namespace

const char* name(Kind kind) {
  switch (kind) {
    case Kind::kSame:
      return "same";
    case Kind::kCopy:
      return "copy";
    case Kind::kDelta:
      return "delta";
    case Kind::kCompressed:
      return "compressed";
    case Kind::kStored:
      return "stored";
  }
  return "unknown";
}

tl::expected<Encoder, Error> Encoder::create(Bytes old) {
  auto matcher = Matcher::create(old);
  if (!matcher) return tl::make_unexpected(matcher.error());
  return Encoder(std::move(*matcher));
}

// Without a payload: the old image has the very bytes, at the same place or elsewhere.
bool Encoder::encode_from_old(Segment& segment, Bytes wanted) const {
  const Bytes old = matcher_.old();
  const auto is_at = [&](std::size_t place) {
    return place <= old.size() && wanted.size() <= old.size() - place &&
           std::ranges::equal(old.subspan(place, wanted.size()), wanted);
  };
  if (is_at(segment.place)) {
    offer(segment, Kind::kSame, header(Kind::kSame, segment.size));
    return true;
  }
  const Matcher::Exact found = matcher_.longest(wanted);
  if (found.size < wanted.size()) return false;
  Record record = header(Kind::kCopy, segment.size);
  put_varint(record, found.old_place);
  offer(segment, Kind::kCopy, std::move(record));
  return true;
}

tl::expected<void, Error> Encoder::encode(Segment& segment, Bytes image, std::span<const Piece> pieces) const {
  const Bytes wanted = image.subspan(segment.place, segment.size);
  if (encode_from_old(segment, wanted)) return {};

  Record stored = header(Kind::kStored, segment.size);
  append(stored, wanted);
  offer(segment, Kind::kStored, std::move(stored));

  const auto compressed = compress(wanted);
  if (!compressed) return tl::make_unexpected(Error::kOutOfMemory);
  if (compressed->size() <= segment.size) {
    Record record = header(Kind::kCompressed, segment.size);
    put_varint(record, static_cast<std::uint32_t>(compressed->size()));
    append(record, *compressed);
    offer(segment, Kind::kCompressed, std::move(record));
  }

  if (matcher_.old().empty()) return {};  // operations on nothing are the bytes themselves
  const Record plain = operations(cut(pieces, segment.place, segment.size), matcher_.old(), image);
  const auto packed = compress(plain);
  if (!packed) return tl::make_unexpected(Error::kOutOfMemory);
  if (packed->size() <= segment.size && plain.size() <= max_operations(segment.size)) {
    Record record = header(Kind::kDelta, segment.size);
    put_varint(record, static_cast<std::uint32_t>(plain.size()));
    put_varint(record, static_cast<std::uint32_t>(packed->size()));
    append(record, *packed);
    offer(segment, Kind::kDelta, std::move(record));
  }
  return {};
}

tl::expected<std::vector<Segment>, Error> Encoder::encode(Bytes image, std::span<const std::uint32_t> layers) const {
  if (image.size() > kMaxImage) return tl::make_unexpected(Error::kTooBig);
  std::vector<Segment> segments;
  std::uint64_t place = 0;
  for (const std::uint32_t layer : layers) {
    if (layer > image.size() - place) return tl::make_unexpected(Error::kBadLayers);
    for (std::uint32_t done = 0; done < layer;) {
      const std::uint32_t size = std::min(kSegmentSize, layer - done);
      segments.push_back({static_cast<std::uint32_t>(place + done), size, Kind::kSame, {}});
      done += size;
    }
    place += layer;
  }
  if (place != image.size()) return tl::make_unexpected(Error::kBadLayers);

  const std::vector<Piece> pieces = matcher_.match(image);
  for (Segment& segment : segments) {
    if (auto done = encode(segment, image, pieces); !done) return tl::make_unexpected(done.error());
  }
  return segments;
}

tl::expected<std::vector<Segment>, Error> Encoder::encode(Bytes image) const {
  if (image.size() > kMaxImage) return tl::make_unexpected(Error::kTooBig);
  const auto whole = static_cast<std::uint32_t>(image.size());
  return encode(image, std::span(&whole, 1));
}

}  // namespace mv::delta
