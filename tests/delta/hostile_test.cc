// Records as an attacker or a bad line makes them: refused with a number, never a byte outside the segment or the old
// image (the rig aborts on one).
#include <gtest/gtest.h>

#include "delta/lzma.h"
#include "delta/operations.h"
#include "delta_rig.h"
#include "edits.h"

namespace mv::delta {
namespace {

using rig::Bytes;
using rig::DecodeError;
using rig::Edits;

const Bytes kOld = Edits(1).program(1000);

// What a decoder says to a record for a segment of 100 bytes at the image's start.
DecodeError refusal(const Bytes& record) {
  const auto rebuilt = rig::decode(kOld, record, 0, 100);
  EXPECT_FALSE(rebuilt.has_value()) << "was taken";
  return rebuilt ? DecodeError{} : rebuilt.error();
}

// A delta for 100 bytes whose operations are these.
Bytes delta(const Bytes& operations) {
  const Bytes packed = compress(operations).value();
  Bytes record = {0x12, 100};
  put_varint(record, static_cast<std::uint32_t>(operations.size()));
  put_varint(record, static_cast<std::uint32_t>(packed.size()));
  record.insert(record.end(), packed.begin(), packed.end());
  return record;
}

Bytes new_bytes(std::size_t count) {
  Bytes operation;
  put_varint(operation, static_cast<std::uint32_t>(count << 1 | 1));
  operation.insert(operation.end(), count, 0x42);
  return operation;
}

TEST(DeltaHostile, HeadersOfAnotherVersionOrKind) {
  EXPECT_EQ(refusal({0x20, 100}), DecodeError::kBadHeader);
  EXPECT_EQ(refusal({0x15, 100}), DecodeError::kBadHeader);
  EXPECT_EQ(refusal({0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0x10}), DecodeError::kBadHeader) << "a varint of 33 bits";
  EXPECT_EQ(refusal({0x10, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}), DecodeError::kBadHeader) << "an endless varint";
}

TEST(DeltaHostile, SizesThatAreNotTheSegments) {
  EXPECT_EQ(refusal({0x10, 99}), DecodeError::kBadSize);
  EXPECT_EQ(refusal({0x10, 0x80, 0x80, 0x04}), DecodeError::kBadSize);
  EXPECT_EQ(refusal({0x13, 100, 101}), DecodeError::kBadSize) << "a payload above the segment's size";
  EXPECT_EQ(refusal({0x13, 100, 0}), DecodeError::kBadSize) << "an empty payload";
  EXPECT_EQ(refusal({0x12, 100, 0}), DecodeError::kBadSize) << "no operations";
  EXPECT_EQ(refusal({0x12, 100, 0x89, 0x02}), DecodeError::kBadSize) << "265 bytes of operations, 264 are allowed";
}

TEST(DeltaHostile, SegmentsThatNoManifestHas) {
  EXPECT_EQ(rig::decode(kOld, Bytes{0x10, 0}, 0, 0).error(), DecodeError::kBadSize);
  EXPECT_EQ(rig::decode(kOld, Bytes{0x10, 0}, 0, kSegmentSize + 1).error(), DecodeError::kBadSize);
}

TEST(DeltaHostile, CopiesFromOutsideTheOldImage) {
  const auto copy = [](std::uint32_t from) {
    Bytes record = {0x11, 100};
    put_varint(record, from);
    return record;
  };
  EXPECT_TRUE(rig::decode(kOld, copy(900), 0, 100)->done);
  EXPECT_EQ(refusal(copy(901)), DecodeError::kOutsideOld);
  EXPECT_EQ(refusal(copy(0xFFFFFFFF)), DecodeError::kOutsideOld);
  EXPECT_EQ(rig::decode(kOld, Bytes{0x10, 100}, 901, 100).error(), DecodeError::kOutsideOld);
  EXPECT_EQ(rig::decode(kOld, Bytes{0x10, 100}, 0xFFFFFFFF, 100).error(), DecodeError::kOutsideOld);
}

TEST(DeltaHostile, OldBytesFromOutsideTheOldImage) {
  EXPECT_TRUE(rig::decode(kOld, delta({0xC8, 0x01, 0, 50}), 0, 100)->done);
  EXPECT_EQ(refusal(delta({0xC8, 0x01, 1, 50})), DecodeError::kOutsideOld) << "one before the start";
  EXPECT_EQ(refusal(delta({0xC8, 0x01, 0x8A, 0x0E, 50})), DecodeError::kOutsideOld) << "one after the end";
  EXPECT_EQ(refusal(delta({0xC8, 0x01, 0xFE, 0xFF, 0xFF, 0xFF, 0x0F, 50})), DecodeError::kOutsideOld);
}

TEST(DeltaHostile, OperationsThatWriteNothingOrTooMuch) {
  EXPECT_EQ(refusal(delta({0, 0, 0})), DecodeError::kBadOperation);
  EXPECT_EQ(refusal(delta({1})), DecodeError::kBadOperation);
  EXPECT_EQ(refusal(delta(new_bytes(101))), DecodeError::kBadOperation);
  EXPECT_EQ(refusal(delta({0xC8, 0x01, 0, 51})), DecodeError::kBadOperation) << "a gap beyond the operation's end";
  EXPECT_EQ(refusal(delta({0xFE, 0xFF, 0xFF, 0xFF, 0x0F, 0, 50})), DecodeError::kBadOperation);
}

TEST(DeltaHostile, OperationsThatEndTooEarlyOrGoOn) {
  Bytes operations = new_bytes(60);
  EXPECT_EQ(refusal(delta(operations)), DecodeError::kTooShort);
  EXPECT_EQ(refusal(delta({0xC8, 0x01, 0})), DecodeError::kTooShort);
  const Bytes more = new_bytes(40);
  operations.insert(operations.end(), more.begin(), more.end());
  EXPECT_TRUE(rig::decode(kOld, delta(operations), 0, 100)->done);
  operations.push_back(0);
  EXPECT_EQ(refusal(delta(operations)), DecodeError::kTrailing);
}

TEST(DeltaHostile, PayloadsThatAreNotLzma) {
  EXPECT_EQ(refusal({0x13, 100, 8, 1, 2, 3, 4, 5, 6, 7, 8}), DecodeError::kBadPayload);
  EXPECT_EQ(refusal({0x13, 100, 8, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}), DecodeError::kBadPayload);
}

// Zeros without end unpack to megabytes; the sizes in the header are the end of it.
TEST(DeltaHostile, PayloadsThatUnpackToMoreOrLess) {
  const Bytes bomb = compress(Bytes(10 << 20, 0)).value();
  ASSERT_GT(bomb.size(), 100u);
  Bytes record = {0x13, 100, 100};
  record.insert(record.end(), bomb.begin(), bomb.begin() + 100);
  EXPECT_EQ(refusal(record), DecodeError::kBadPayload);

  const Bytes less = compress(Bytes(50, 0)).value();
  record = {0x13, 100, static_cast<std::uint8_t>(less.size())};
  record.insert(record.end(), less.begin(), less.end());
  EXPECT_EQ(refusal(record), DecodeError::kTooShort);

  const Bytes right = compress(Bytes(100, 0)).value();
  record = {0x13, 100, static_cast<std::uint8_t>(right.size() + 1)};
  record.insert(record.end(), right.begin(), right.end());
  record.push_back(0);
  EXPECT_EQ(refusal(record), DecodeError::kTrailing);
}

TEST(DeltaHostile, WhatFollowsARecordIsNotTaken) {
  const auto rebuilt = rig::decode(kOld, Bytes{0x10, 100, 0xAA, 0xBB}, 0, 100);
  EXPECT_TRUE(rebuilt->done);
  EXPECT_EQ(rebuilt->taken, 2u);
}

TEST(DeltaHostile, AfterAnErrorNothingIsTaken) {
  rig::Old old(kOld);
  rig::Sink sink(100);
  update::delta::SegmentDecoder decoder(old, sink);
  const Bytes bad = {0x99}, good = {0x10, 100};
  EXPECT_FALSE(decoder.push(good).value_or(1)) << "before the first begin";
  decoder.begin(0, 100);
  EXPECT_FALSE(decoder.push(bad));
  EXPECT_FALSE(decoder.push(good));
  decoder.begin(0, 100);
  EXPECT_TRUE(decoder.push(good));
  EXPECT_TRUE(decoder.done());
}

// The segments of an update, of every kind that has a payload.
std::vector<Segment> segments_of_an_update(const Bytes& old) {
  Edits edits(11);
  Bytes image = old;
  for (int i = 0; i < 6; ++i) edits.edit(image);
  image.resize(20000);
  image.resize(kSegmentSize + 3000, 0x31);
  const Bytes noise = edits.noise(500);
  image.insert(image.end(), noise.begin(), noise.end());
  const std::uint32_t layers[] = {20000, kSegmentSize - 17000, 500};
  return Encoder::create(old).value().encode(image, layers).value();
}

TEST(DeltaHostile, ARecordCutAnywhereIsNotDoneAndNoCrash) {
  const Bytes old = Edits(10).program(30000);
  for (const Segment& segment : segments_of_an_update(old)) {
    for (std::size_t size = 0; size < segment.record.size(); ++size) {
      const auto rebuilt = rig::decode(old, std::span(segment.record).first(size), segment.place, segment.size);
      ASSERT_TRUE(rebuilt.has_value()) << name(segment.kind) << " cut at " << size;
      ASSERT_FALSE(rebuilt->done);
    }
  }
}

TEST(DeltaHostile, AFlippedBitAnywhereIsAnErrorOrOtherBytesButNoCrash) {
  const Bytes old = Edits(10).program(30000);
  std::size_t errors = 0;
  for (const Segment& segment : segments_of_an_update(old)) {
    Bytes record = segment.record;
    for (std::size_t bit = 0; bit<record.size() * 8; bit += record.size()> 2000 ? 7 : 1) {
      record[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
      errors += rig::decode(old, record, segment.place, segment.size).has_value() ? 0 : 1;
      record[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    }
  }
  EXPECT_GT(errors, 1000u);
}

TEST(DeltaHostile, NoiseIsNeverTakenForMore) {
  Edits edits(12);
  for (int round = 0; round < 3000; ++round) {
    Bytes record = edits.noise(2 + edits.below(300));
    record[0] = static_cast<std::uint8_t>(0x10 + edits.below(5));
    record[1] = 100;
    (void)rig::decode(kOld, record, 0, 100);
  }
}

TEST(DeltaHostile, FlashThatFailsAtAnyMomentIsSaid) {
  const Bytes old = Edits(10).program(30000);
  const Segment segment = segments_of_an_update(old).front();
  ASSERT_EQ(segment.kind, Kind::kDelta);
  for (const bool reading : {true, false}) {
    std::size_t fail_at = 0;
    for (bool failed = true; failed; ++fail_at) {
      rig::Old device(old);
      rig::Sink sink(segment.size);
      (reading ? device.fail_at : sink.fail_at) = fail_at;
      update::delta::SegmentDecoder decoder(device, sink);
      decoder.begin(segment.place, segment.size);
      const auto taken = decoder.push(segment.record);
      failed = !taken.has_value();
      if (!failed) continue;
      ASSERT_EQ(taken.error(), reading ? DecodeError::kOldUnreadable : DecodeError::kSinkRefused);
      ASSERT_FALSE(decoder.done());
    }
    EXPECT_GT(fail_at, 10u);
  }
}

}  // namespace
}  // namespace mv::delta
