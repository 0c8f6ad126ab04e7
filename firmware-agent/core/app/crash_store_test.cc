#include "core/app/crash_store.h"

#include <cstring>

#include <gtest/gtest.h>

#include "boards/host/fake_flash.h"

namespace mv::app {
namespace {

constexpr std::uint32_t kSize = flash_map::kCrashRecords.offset + flash_map::kCrashRecords.size;

mv_wire_CrashReport crash(const char* reason) {
  mv_wire_CrashReport report = mv_wire_CrashReport_init_zero;
  std::strcpy(report.reason, reason);
  report.registers_count = 17;
  report.registers[15] = 0x00100234;
  report.stack.size = 512;
  report.stack.bytes[511] = 0x5A;
  return report;
}

TEST(CrashStore, KeepsACrashOverReboots) {
  host::FakeFlash flash(kSize);
  CrashStore store(flash);
  store.mount();
  auto report = crash("usage fault");
  ASSERT_TRUE(store.add(report));
  CrashStore again(flash);
  again.mount();
  mv_wire_CrashReport out;
  ASSERT_TRUE(again.oldest(out));
  EXPECT_EQ(out.number, 1U);
  EXPECT_STREQ(out.reason, "usage fault");
  EXPECT_EQ(out.registers[15], 0x00100234U);
  EXPECT_EQ(out.stack.bytes[511], 0x5A);
}

TEST(CrashStore, GivesEachUntilItIsAcknowledgedAndNumbersOnOverReboots) {
  host::FakeFlash flash(kSize);
  CrashStore store(flash);
  store.mount();
  auto one = crash("one"), two = crash("two"), three = crash("three");
  store.add(one);
  store.add(two);
  mv_wire_CrashReport out;
  store.acknowledge(1);
  ASSERT_TRUE(store.oldest(out));
  EXPECT_STREQ(out.reason, "two");
  store.acknowledge(99);
  EXPECT_TRUE(store.oldest(out)) << "nothing of that number was ever recorded";
  store.acknowledge(2);
  EXPECT_FALSE(store.oldest(out));
  CrashStore again(flash);
  again.mount();
  EXPECT_FALSE(again.oldest(out));
  again.add(three);
  EXPECT_EQ(three.number, 3U);
}

TEST(CrashStore, KeepsTheNewestEightOfACrashLoop) {
  host::FakeFlash flash(kSize);
  CrashStore store(flash);
  store.mount();
  for (int i = 0; i < 100; ++i) {
    auto report = crash("again");
    ASSERT_TRUE(store.add(report));
  }
  mv_wire_CrashReport out;
  ASSERT_TRUE(store.oldest(out));
  EXPECT_EQ(out.number, 93U);
}

TEST(CrashStore, ACutWhileACrashIsWrittenLosesAtMostThatCrash) {
  for (std::uint32_t at = 0; at < 60; ++at) {
    host::FakeFlash flash(kSize);
    CrashStore store(flash);
    store.mount();
    auto first = crash("first"), second = crash("second");
    ASSERT_TRUE(store.add(first));
    flash.cut_at(at, host::FakeFlash::Cut::kTornLate, at + 1);
    store.add(second);
    flash.restore_power();
    CrashStore again(flash);
    again.mount();
    mv_wire_CrashReport out;
    ASSERT_TRUE(again.oldest(out)) << at;
    EXPECT_STREQ(out.reason, "first");
    auto third = crash("third");
    EXPECT_TRUE(again.add(third)) << at;
  }
}

}  // namespace
}  // namespace mv::app
