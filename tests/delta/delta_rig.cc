#include "delta_rig.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace mv::delta::rig {
namespace {

void demand(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "delta rig: %s\n", what);
  std::abort();
}

}  // namespace

bool Old::read(std::uint32_t offset, std::span<std::uint8_t> out) {
  demand(offset <= bytes_.size() && out.size() <= bytes_.size() - offset, "read outside the old image");
  std::ranges::copy(bytes_.subspan(offset, out.size()), out.begin());
  return reads_++ != fail_at;
}

bool Sink::write(std::span<const std::uint8_t> more) {
  demand(!more.empty() && more.size() <= limit_ - bytes.size(), "wrote beyond the segment");
  if (writes_++ == fail_at) return false;
  bytes.insert(bytes.end(), more.begin(), more.end());
  return true;
}

tl::expected<Rebuilt, DecodeError> decode(std::span<const std::uint8_t> old, std::span<const std::uint8_t> record,
                                          std::uint32_t place, std::uint32_t size, std::size_t piece) {
  Old image(old);
  Sink sink(size);
  update::delta::SegmentDecoder decoder(image, sink);
  decoder.begin(place, size);
  Rebuilt rebuilt;
  while (rebuilt.taken < record.size() && !decoder.done()) {
    const auto taken = decoder.push(record.subspan(rebuilt.taken, std::min(piece, record.size() - rebuilt.taken)));
    if (!taken) return tl::make_unexpected(taken.error());
    rebuilt.taken += *taken;
  }
  rebuilt.done = decoder.done();
  rebuilt.bytes = std::move(sink.bytes);
  return rebuilt;
}

Bytes decode_image(std::span<const std::uint8_t> old, std::span<const Segment> segments, std::size_t piece) {
  Bytes stream;
  std::size_t total = 0;
  for (const Segment& segment : segments) {
    stream.insert(stream.end(), segment.record.begin(), segment.record.end());
    total += segment.size;
  }
  Old image(old);
  Sink sink(total);
  update::delta::SegmentDecoder decoder(image, sink);
  std::span<const std::uint8_t> left = stream;
  for (const Segment& segment : segments) {
    decoder.begin(segment.place, segment.size);
    while (!decoder.done()) {
      demand(!left.empty(), "the records end too early");
      const auto taken = decoder.push(left.first(std::min(piece, left.size())));
      demand(taken.has_value(), taken ? "" : update::delta::describe(taken.error()).data());
      left = left.subspan(*taken);
    }
    demand(sink.bytes.size() == segment.place + segment.size, "a segment is not whole");
  }
  demand(left.empty(), "bytes are left over");
  return std::move(sink.bytes);
}

}  // namespace mv::delta::rig
