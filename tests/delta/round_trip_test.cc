// What the encoder says, the device's decoder rebuilds.
#include <gtest/gtest.h>

#include <map>

#include "delta_rig.h"
#include "edits.h"

namespace mv::delta {
namespace {

using rig::Bytes;
using rig::Edits;

std::vector<Segment> encode(const Bytes& old, const Bytes& image) {
  return Encoder::create(old).value().encode(image).value();
}

void expect_round_trip(const Bytes& old, const Bytes& image) {
  const auto segments = encode(old, image);
  EXPECT_TRUE(rig::decode_image(old, segments) == image);
  EXPECT_TRUE(rig::decode_image(old, segments, 1) == image) << "byte by byte";
}

std::size_t total(const std::vector<Segment>& segments) {
  std::size_t bytes = 0;
  for (const Segment& segment : segments) bytes += segment.record.size();
  return bytes;
}

class RandomEdits : public ::testing::TestWithParam<unsigned> {};

TEST_P(RandomEdits, AreRebuilt) {
  Edits edits(GetParam());
  const Bytes old = edits.program(edits.below(100000));
  Bytes image = old;
  for (std::size_t count = edits.below(12); count > 0; --count) edits.edit(image);
  expect_round_trip(old, image);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomEdits, ::testing::Range(0u, 60u));

TEST(DeltaRoundTrip, EveryKindOfSegmentOccursInIt) {
  Edits edits(7);
  const Bytes old = edits.program(3 * kSegmentSize);
  Bytes image(old.begin(), old.begin() + kSegmentSize);                                             // same
  image.insert(image.end(), old.begin() + kSegmentSize + 10, old.begin() + 2 * kSegmentSize + 10);  // copy
  image.insert(image.end(), old.begin() + kSegmentSize, old.begin() + 2 * kSegmentSize);            // delta
  image[2 * kSegmentSize + 1001] ^= 1;
  image.resize(4 * kSegmentSize, 0x55);   // compressed
  const Bytes noise = edits.noise(2000);  // stored
  image.insert(image.end(), noise.begin(), noise.end());

  const auto segments = encode(old, image);

  std::map<Kind, int> kinds;
  for (const Segment& segment : segments) ++kinds[segment.kind];
  EXPECT_EQ(kinds.size(), 5u);
  expect_round_trip(old, image);
}

TEST(DeltaRoundTrip, OfImagesWithoutBytes) {
  Edits edits(1);
  expect_round_trip({}, {});
  expect_round_trip(edits.program(1000), {});
  expect_round_trip({}, edits.program(70000));
}

TEST(DeltaRoundTrip, OfImagesOfOneByteAndOfOddOnes) {
  Edits edits(2);
  const Bytes old = edits.program(kSegmentSize + 1);
  expect_round_trip(old, {0x42});
  expect_round_trip({0x42}, old);
  Bytes image = old;
  image.back() ^= 1;
  image[kSegmentSize - 1] ^= 1;
  expect_round_trip(old, image);
}

TEST(DeltaRoundTrip, OfImagesThatGrowAndShrink) {
  Edits edits(3);
  const Bytes large = edits.program(150000);
  const Bytes part(large.begin() + 40001, large.begin() + 90000);
  expect_round_trip(large, part);
  expect_round_trip(part, large);
}

TEST(DeltaRoundTrip, WhatHasNothingInCommonCostsAFewBytesMore) {
  Edits edits(4);
  const Bytes old = edits.noise(100000), image = edits.noise(100000);
  expect_round_trip(old, image);
  EXPECT_LE(total(encode(old, image)), image.size() + 4 * 4);
}

TEST(DeltaRoundTrip, WhatShiftedByOneOddByteIsSmall) {
  Edits edits(5);
  const Bytes old = edits.program(100000);
  Bytes image = old;
  image.insert(image.begin() + 1000, 0x99);
  expect_round_trip(old, image);
  EXPECT_LE(total(encode(old, image)), 4 * 32u);
}

// Many addresses changed by the same number: what a new function does to the code behind it.
TEST(DeltaRoundTrip, RelocationCostsLessThanAByteEach) {
  Edits edits(6);
  const Bytes old = edits.program(2 * kSegmentSize);
  Bytes image = old;
  std::size_t changed = 0;
  for (std::size_t at = 0; at + 2 < image.size(); at += 2 + 2 * edits.below(40), ++changed) image[at] ^= 0x40;
  expect_round_trip(old, image);
  EXPECT_LE(total(encode(old, image)), 2 * changed);
}

TEST(DeltaRoundTrip, EverySplitOfARecordIsTheSame) {
  Edits edits(8);
  const Bytes old = edits.program(5000);
  Bytes image = old;
  for (int i = 0; i < 4; ++i) edits.edit(image);
  image.resize(5000);
  const auto segments = encode(old, image);
  ASSERT_EQ(segments[0].kind, Kind::kDelta);
  const Bytes& record = segments[0].record;
  for (std::size_t cut = 1; cut < record.size(); ++cut) {
    rig::Old device(old);
    rig::Sink sink(image.size());
    update::delta::SegmentDecoder decoder(device, sink);
    decoder.begin(0, segments[0].size);
    ASSERT_EQ(decoder.push(std::span(record).first(cut)).value(), cut);
    ASSERT_EQ(decoder.push(std::span(record).subspan(cut)).value(), record.size() - cut);
    ASSERT_TRUE(decoder.done());
    ASSERT_TRUE(sink.bytes == image) << "cut at " << cut;
  }
}

// A lost link: what of a segment had come is forgotten, and the decoder begins it again.
TEST(DeltaRoundTrip, ASegmentThatWasCutOffIsBegunAnew) {
  Edits edits(9);
  const Bytes old = edits.program(2 * kSegmentSize);
  Bytes image = old;
  image[3] ^= 1;
  image[kSegmentSize + 5] ^= 1;
  const auto segments = encode(old, image);
  rig::Old device(old);
  rig::Sink sink(3 * kSegmentSize);
  update::delta::SegmentDecoder decoder(device, sink);
  decoder.begin(0, kSegmentSize);
  ASSERT_TRUE(decoder.push(std::span(segments[0].record).first(12)));
  ASSERT_FALSE(decoder.done());
  sink.bytes.clear();
  for (const Segment& segment : segments) {
    decoder.begin(segment.place, segment.size);
    ASSERT_EQ(decoder.push(segment.record).value(), segment.record.size());
    ASSERT_TRUE(decoder.done());
  }
  EXPECT_TRUE(sink.bytes == image);
}

}  // namespace
}  // namespace mv::delta
