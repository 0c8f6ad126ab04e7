#include "core/storage/record_store.h"

#include <array>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "boards/host/fake_flash.h"
#include "core/storage/crc32.h"

namespace mv::storage {
namespace {

using host::FakeFlash;

constexpr flash_map::Area kArea = {kPage, 2 * kPage};
constexpr std::uint32_t kFlash = 3 * kPage;
constexpr std::uint8_t kKinds = 16;

std::vector<std::uint8_t> bytes_of(std::size_t size, std::uint8_t first) {
  std::vector<std::uint8_t> bytes(size);
  std::iota(bytes.begin(), bytes.end(), first);
  return bytes;
}

std::vector<std::uint8_t> read(RecordStore& store, std::uint8_t kind) {
  std::vector<std::uint8_t> out(RecordStore::kMaxBytes);
  out.resize(store.read(kind, out));
  return out;
}

TEST(Crc32, IsTheOneOfZip) {
  const std::string_view text = "123456789";
  const auto* data = reinterpret_cast<const std::uint8_t*>(text.data());
  EXPECT_EQ(crc32({data, text.size()}), 0xCBF43926U);
  EXPECT_EQ(crc32({data + 4, 5}, crc32({data, 4})), 0xCBF43926U);
}

TEST(RecordStore, IsEmptyOnErasedFlash) {
  FakeFlash flash(kFlash);
  RecordsOf<kKinds> store(flash, kArea);
  store.mount();
  EXPECT_FALSE(store.find(0).has_value());
}

TEST(RecordStore, KeepsTheNewestRecordOfEachKindOverAReboot) {
  FakeFlash flash(kFlash);
  {
    RecordsOf<kKinds> store(flash, kArea);
    store.mount();
    ASSERT_TRUE(store.put(1, 11));
    ASSERT_TRUE(store.put(2, 22, bytes_of(33, 5)));
    ASSERT_TRUE(store.put(1, 12));
  }
  RecordsOf<kKinds> store(flash, kArea);
  store.mount();
  EXPECT_EQ(store.find(1)->number, 12U);
  EXPECT_EQ(store.find(2)->number, 22U);
  EXPECT_EQ(read(store, 2), bytes_of(33, 5));
}

TEST(RecordStore, CarriesOldRecordsFromPageToPage) {
  FakeFlash flash(kFlash);
  RecordsOf<kKinds> store(flash, kArea);
  store.mount();
  ASSERT_TRUE(store.put(3, 0, bytes_of(1000, 7)));
  for (std::uint32_t i = 0; i < 5000; ++i) ASSERT_TRUE(store.put(1, i));
  RecordsOf<kKinds> again(flash, kArea);
  again.mount();
  EXPECT_EQ(again.find(1)->number, 4999U);
  EXPECT_EQ(read(again, 3), bytes_of(1000, 7));
}

TEST(RecordStore, OneNumberIsOneFlashOperation) {
  FakeFlash flash(kFlash);
  RecordsOf<kKinds> store(flash, kArea);
  store.mount();
  ASSERT_TRUE(store.put(1, 1));
  const auto before = flash.operations();
  ASSERT_TRUE(store.put(1, 2));
  EXPECT_EQ(flash.operations() - before, 1U);
}

TEST(RecordStore, RefusesWhatItCouldNotGiveBack) {
  FakeFlash flash(kFlash);
  RecordsOf<kKinds> store(flash, kArea);
  store.mount();
  EXPECT_FALSE(store.put(kKinds, 1));
  EXPECT_FALSE(store.put(1, 1, bytes_of(RecordStore::kMaxBytes + 1, 0)));
  EXPECT_FALSE(store.find(1).has_value());
}

TEST(RecordStore, DoesNotGiveOutARecordWithAFlippedBit) {
  FakeFlash flash(kFlash);
  RecordsOf<kKinds> store(flash, kArea);
  store.mount();
  ASSERT_TRUE(store.put(2, 1, bytes_of(20, 1)));
  ASSERT_TRUE(store.put(2, 2, bytes_of(20, 2)));
  flash.flip_bit(kArea.offset + kQuadWord * (1 + 3 + 1), 3);  // page header, first record, second's header
  store.mount();
  EXPECT_EQ(store.find(2)->number, 1U);
}

TEST(RecordStore, AFailedWriteUsesTheNextPlace) {
  FakeFlash flash(kFlash);
  RecordsOf<kKinds> store(flash, kArea);
  store.mount();
  ASSERT_TRUE(store.put(1, 1));
  flash.fail_at(0);
  EXPECT_TRUE(store.put(1, 2));
  store.mount();
  EXPECT_EQ(store.find(1)->number, 2U);
}

// Every operation of a long series of writes is cut, in each way. Whatever was acknowledged is there afterwards, the
// record being written is the old or the new one, and the store takes further records.
TEST(RecordStore, SurvivesACutAtEveryOperation) {
  FakeFlash base(kFlash);
  {
    RecordsOf<kKinds> store(base, kArea);
    store.mount();
    ASSERT_TRUE(store.put(5, 55, bytes_of(100, 9)));
    for (std::uint32_t i = 0; i < 480; ++i) ASSERT_TRUE(store.put(1, i));  // nearly a page: the series turns it
  }
  int cuts = 0;
  for (const auto how :
       {FakeFlash::Cut::kNotDone, FakeFlash::Cut::kTornEarly, FakeFlash::Cut::kTornLate, FakeFlash::Cut::kDone}) {
    for (std::uint32_t at = 0;; ++at) {
      FakeFlash flash = base;
      RecordsOf<kKinds> store(flash, kArea);
      store.mount();
      flash.cut_at(at, how, at + 1);
      std::uint32_t acknowledged = 479;
      for (std::uint32_t i = 480; i < 520; ++i) {
        if (!store.put(1, i) || !store.put(6, i, bytes_of(40, static_cast<std::uint8_t>(i)))) break;
        acknowledged = i;
      }
      if (flash.powered()) break;
      ++cuts;
      flash.restore_power();
      RecordsOf<kKinds> again(flash, kArea);
      again.mount();
      ASSERT_TRUE(again.find(1).has_value()) << "cut " << at;
      EXPECT_GE(again.find(1)->number, acknowledged);
      EXPECT_LE(again.find(1)->number, acknowledged + 1);
      EXPECT_EQ(read(again, 5), bytes_of(100, 9));
      if (const auto six = again.find(6)) {
        EXPECT_EQ(read(again, 6), bytes_of(40, static_cast<std::uint8_t>(six->number)));
      }
      ASSERT_TRUE(again.put(1, 1000));
      again.mount();
      EXPECT_EQ(again.find(1)->number, 1000U);
      EXPECT_EQ(read(again, 5), bytes_of(100, 9));
    }
  }
  EXPECT_GT(cuts, 400);
}

}  // namespace
}  // namespace mv::storage
