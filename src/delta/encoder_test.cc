#include "delta/encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <random>

#include "delta/operations.h"

namespace mv::delta {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Bytes = std::vector<std::uint8_t>;

Bytes noise(std::size_t size, unsigned seed = 1) {
  std::mt19937 random(seed);
  Bytes bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

std::vector<Segment> encode(const Bytes& old, const Bytes& image) {
  return Encoder::create(old).value().encode(image).value();
}

Bytes operations_of(const Bytes& old, const Bytes& image) {
  return operations(Matcher::create(old).value().match(image), old, image);
}

TEST(DeltaEncoder, WhatIsAtItsPlaceIsNotSent) {
  const Bytes old = noise(2 * kSegmentSize);

  const auto segments = encode(old, old);

  ASSERT_EQ(segments.size(), 2u);
  EXPECT_THAT(segments[1].record, ElementsAre(0x10, 0x80, 0x80, 0x02));
}

TEST(DeltaEncoder, WhatMovedIsCopied) {
  const Bytes old = noise(kSegmentSize + 3);
  const Bytes image(old.begin() + 3, old.end());

  EXPECT_THAT(encode(old, image).front().record, ElementsAre(0x11, 0x80, 0x80, 0x02, 0x03));
}

TEST(DeltaEncoder, BytesThatDoNotCompressAreStored) {
  const auto segments = encode({}, noise(100));

  ASSERT_EQ(segments.size(), 1u);
  EXPECT_EQ(segments[0].kind, Kind::kStored);
  EXPECT_EQ(segments[0].record.size(), 2u + 100u);
}

TEST(DeltaEncoder, BytesThatCompressAreCompressed) {
  const auto segments = encode(noise(1000), Bytes(1000, 0xFF));

  EXPECT_EQ(segments[0].kind, Kind::kCompressed);
  EXPECT_LT(segments[0].record.size(), 40u);
}

TEST(DeltaEncoder, AnEditIsADelta) {
  const Bytes old = noise(kSegmentSize);
  Bytes image = old;
  image[1000] ^= 0x55;

  const auto segments = encode(old, image);

  EXPECT_EQ(segments[0].kind, Kind::kDelta);
  EXPECT_LT(segments[0].record.size(), 32u);
}

TEST(DeltaEncoder, EachLayerIsCutAnew) {
  const Bytes image = noise(kSegmentSize + 30);
  const std::array<std::uint32_t, 3> layers = {20, 0, kSegmentSize + 10};

  const auto segments = Encoder::create({}).value().encode(image, layers).value();

  ASSERT_EQ(segments.size(), 3u);
  EXPECT_EQ(segments[0].size, 20u);
  EXPECT_EQ(segments[1].place, 20u);
  EXPECT_EQ(segments[1].size, kSegmentSize);
  EXPECT_EQ(segments[2].size, 10u);
}

TEST(DeltaEncoder, RefusesLayersThatAreNotTheImage) {
  const std::array<std::uint32_t, 2> layers = {20, 11};
  const Encoder encoder = Encoder::create({}).value();

  EXPECT_EQ(encoder.encode(noise(30), layers).error(), Error::kBadLayers);
  EXPECT_EQ(encoder.encode(noise(32), layers).error(), Error::kBadLayers);
}

TEST(DeltaEncoder, AnEmptyImageHasNoSegments) { EXPECT_THAT(encode(noise(10), {}), IsEmpty()); }

TEST(DeltaOperations, AnEditIsAGapInHalfWordsAndADifference) {
  const Bytes old(40, 7);
  Bytes image = old;
  image[10] += 2;

  // 40 old bytes, no seek; five half-words as they are, one 2 more, the other fourteen as they are.
  EXPECT_THAT(operations_of(old, image), ElementsAre(80, 0, 5, 4, 14));
}

TEST(DeltaOperations, AnEditAtTheEndNeedsNoLastGap) {
  const Bytes old = noise(41);
  Bytes image = old;
  image[40] -= 1;

  EXPECT_THAT(operations({{0, 41, true, 0}}, old, image), ElementsAre(82, 0, 20, 1));
}

TEST(DeltaOperations, OldBytesBeginAtEvenPlaces) {
  const Bytes old = noise(60);
  Bytes image = {9};
  image.insert(image.end(), old.begin(), old.end());

  // Two new bytes, then 59 old ones from the second on: one place before where they would be.
  const Bytes operations = operations_of(old, image);
  EXPECT_THAT(operations, ElementsAre(2 << 1 | 1, 9, old[0], 59 << 1, 2, 30));
}

}  // namespace
}  // namespace mv::delta
