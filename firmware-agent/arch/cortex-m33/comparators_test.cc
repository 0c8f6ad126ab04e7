#include "arch/cortex-m33/comparators.h"

#include <map>

#include <gtest/gtest.h>

namespace mv::arch {
namespace {

using debug::WatchKind;
using debug::Watchpoint;

constexpr std::uint32_t kDwtControl = 0xe0001000, kFpControl = 0xe0002000, kFpComparator = 0xe0002008;
constexpr std::uint32_t kDfsr = 0xe000ed30, kDhcsr = 0xe000edf0, kDemcr = 0xe000edfc, kDauthctrl = 0xe000ee04;
constexpr std::uint32_t kMonEn = 1U << 16, kMonStep = 1U << 18, kSdme = 1U << 20, kTrcena = 1U << 24;
constexpr std::uint32_t kMatched = 1U << 24;

std::uint32_t comparator(std::uint32_t n) { return 0xe0001020 + 16 * n; }
std::uint32_t function(std::uint32_t n) { return 0xe0001028 + 16 * n; }

// The registers as a Cortex-M33 with eight breakpoints and four watchpoints has them.
class FakeRegisters final : public RegisterBus {
 public:
  std::uint32_t read(std::uint32_t address) override {
    const std::uint32_t value = words[address];
    if (is_function(address)) words[address] &= ~kMatched;
    if (address == kDemcr) return (value & ~kSdme) | (secure_debug() ? kSdme : 0);
    return value;
  }
  void write(std::uint32_t address, std::uint32_t value) override {
    ++writes;
    std::uint32_t& word = words[address];
    if (address == kFpControl) {
      if ((value & 2) != 0) word = (word & ~1U) | (value & 1);
    } else if (address == kDfsr) {
      word &= ~value;
    } else if (is_function(address)) {
      word = (word & 0xf8000000) | (value & 0xc3f);
    } else {
      word = value;
    }
  }

  std::map<std::uint32_t, std::uint32_t> words = {
      {kFpControl, 0x10000080},  {kDwtControl, 0x40000000}, {function(0), 0x58000000},
      {function(1), 0xf0000000}, {function(2), 0x50000000}, {function(3), 0xd0000000},
  };
  bool locked = false;  // DAUTHCTRL does not help
  int writes = 0;

 private:
  static bool is_function(std::uint32_t address) {
    return address >= function(0) && address % 16 == 8 && address < 0xe0001068;
  }
  bool secure_debug() { return !locked && (words[kDauthctrl] & 3) == 3; }
};

class ComparatorsTest : public testing::Test {
 protected:
  ComparatorsTest() { units_.find(); }

  FakeRegisters registers_;
  Comparators units_{registers_};
};

TEST_F(ComparatorsTest, TakesTheUnitsForSecureState) {
  EXPECT_TRUE(units_.present());
  EXPECT_EQ(units_.breakpoints(), 8U);
  EXPECT_EQ(units_.watchpoints(), 4U);
  EXPECT_EQ(registers_.words[kDauthctrl], 3U);
  EXPECT_EQ(registers_.words[kDemcr], kMonEn | kTrcena);
  EXPECT_EQ(registers_.words[kFpControl] & 1, 1U);
}

TEST(ComparatorsWithout, AreNotThereWhereTheRegistersReadAsZero) {
  FakeRegisters registers;
  registers.words.clear();
  Comparators units(registers);
  units.find();
  EXPECT_FALSE(units.present());
  EXPECT_FALSE(units.insert_breakpoint(0x08000000));
  EXPECT_FALSE(units.insert_watchpoint({0x20000000, 4, WatchKind::kWrite}));
  EXPECT_FALSE(units.restore());
  EXPECT_EQ(registers.writes, 0);
}

TEST(ComparatorsWithout, AreLeftAloneWhereDebugMonitorCannotBeSecure) {
  FakeRegisters registers;
  registers.locked = true;
  Comparators units(registers);
  units.find();
  EXPECT_FALSE(units.present());
  EXPECT_EQ(registers.words[kDemcr] & kMonEn, 0U);
}

TEST(ComparatorsWithout, ClearWhatIsLeftFromBeforeTheReset) {
  FakeRegisters registers;
  registers.words[kFpComparator + 20] = 0x08001235;
  registers.words[function(2)] |= 0x815;
  Comparators units(registers);
  units.find();
  EXPECT_EQ(registers.words[kFpComparator + 20], 0U);
  EXPECT_EQ(registers.words[function(2)] & 0xf, 0U);
}

TEST_F(ComparatorsTest, ReadsTheCountInBothItsParts) {
  registers_.words[kFpControl] = 0x10001040;  // NUM_CODE: 0x14
  units_.find();
  EXPECT_EQ(units_.breakpoints(), 8U);  // as many as are kept
  registers_.words[kFpControl] = 0x10000040;
  units_.find();
  EXPECT_EQ(units_.breakpoints(), 4U);
}

TEST_F(ComparatorsTest, PutsABreakpointIntoAComparatorAndTakesItOut) {
  EXPECT_TRUE(units_.insert_breakpoint(0x08000100));
  EXPECT_EQ(registers_.words[kFpComparator], 0x08000101U);
  EXPECT_TRUE(units_.has_breakpoint(0x08000100));
  EXPECT_TRUE(units_.insert_breakpoint(0x08000100));  // there already
  EXPECT_EQ(registers_.words[kFpComparator + 4], 0U);
  EXPECT_TRUE(units_.remove_breakpoint(0x08000100));
  EXPECT_EQ(registers_.words[kFpComparator], 0U);
  EXPECT_FALSE(units_.remove_breakpoint(0x08000100));
  EXPECT_FALSE(units_.insert_breakpoint(0x08000101));
}

TEST_F(ComparatorsTest, HasAsManyBreakpointsAsComparators) {
  for (std::uint32_t n = 0; n < 8; ++n) EXPECT_TRUE(units_.insert_breakpoint(0x08000000 + 2 * n));
  EXPECT_FALSE(units_.insert_breakpoint(0x08000100));
  EXPECT_TRUE(units_.remove_breakpoint(0x08000004));
  EXPECT_TRUE(units_.insert_breakpoint(0x08000100));
}

TEST_F(ComparatorsTest, WatchesAnAlignedWordWithOneComparator) {
  EXPECT_TRUE(units_.insert_watchpoint({0x20000010, 4, WatchKind::kWrite}));
  EXPECT_EQ(registers_.words[comparator(0)], 0x20000010U);
  EXPECT_EQ(registers_.words[function(0)] & 0xc3f, 0x815U);  // a word, debug event, writes
  EXPECT_TRUE(units_.insert_watchpoint({0x20000002, 2, WatchKind::kRead}));
  EXPECT_EQ(registers_.words[function(1)] & 0xc3f, 0x416U);
  EXPECT_TRUE(units_.insert_watchpoint({0x20000003, 1, WatchKind::kAccess}));
  EXPECT_EQ(registers_.words[function(2)] & 0xc3f, 0x014U);
}

TEST_F(ComparatorsTest, WatchesARangeWithALinkedPair) {
  EXPECT_TRUE(units_.insert_watchpoint({0x20000011, 20, WatchKind::kWrite}));
  EXPECT_EQ(registers_.words[comparator(0)], 0x20000011U);
  EXPECT_EQ(registers_.words[comparator(1)], 0x20000024U);  // its last byte
  EXPECT_EQ(registers_.words[function(0)] & 0xc3f, 0x015U);
  EXPECT_EQ(registers_.words[function(1)] & 0xc3f, 0x017U);
}

TEST_F(ComparatorsTest, KeepsPairsForRangesAsLongAsItCan) {
  EXPECT_TRUE(units_.insert_watchpoint({0x20000000, 4, WatchKind::kWrite}));
  EXPECT_TRUE(units_.insert_watchpoint({0x20000100, 8, WatchKind::kWrite}));
  EXPECT_EQ(registers_.words[function(3)] & 0xf, 7U);
  EXPECT_TRUE(units_.insert_watchpoint({0x20000004, 4, WatchKind::kWrite}));
  EXPECT_FALSE(units_.insert_watchpoint({0x20000008, 4, WatchKind::kWrite}));
  units_.remove_watchpoints();
  for (std::uint32_t n = 0; n < 4; ++n) EXPECT_EQ(registers_.words[function(n)] & 0xc3f, 0U);
  EXPECT_TRUE(units_.insert_watchpoint({0x20000100, 8, WatchKind::kWrite}));
  EXPECT_TRUE(units_.insert_watchpoint({0x20000200, 3, WatchKind::kWrite}));
  EXPECT_FALSE(units_.insert_watchpoint({0x20000300, 3, WatchKind::kWrite}));
}

TEST_F(ComparatorsTest, UsesOnlyComparatorsThatCanLimit) {
  registers_.words[function(1)] = 0x50000000;
  units_.find();
  EXPECT_TRUE(units_.insert_watchpoint({0x20000100, 8, WatchKind::kWrite}));
  EXPECT_EQ(registers_.words[comparator(2)], 0x20000100U);
  EXPECT_FALSE(units_.insert_watchpoint({0x20000200, 8, WatchKind::kWrite}));
}

TEST_F(ComparatorsTest, TellsWhichWatchpointMatchedOnce) {
  const Watchpoint word{0x20000000, 4, WatchKind::kRead}, range{0x20000100, 8, WatchKind::kWrite};
  units_.insert_watchpoint(word);
  units_.insert_watchpoint(range);
  EXPECT_FALSE(units_.take_hit());
  registers_.words[function(2)] |= kMatched;
  EXPECT_EQ(units_.take_hit(), range);
  EXPECT_FALSE(units_.take_hit());
  registers_.words[function(3)] |= kMatched;  // the limit's says nothing
  EXPECT_FALSE(units_.take_hit());
  registers_.words[function(0)] |= kMatched;
  EXPECT_EQ(units_.take_hit(), word);
}

TEST_F(ComparatorsTest, ReadsAndClearsTheStatus) {
  registers_.words[kDfsr] = 5;
  const DebugStatus status = units_.take_status();
  EXPECT_TRUE(status.step());
  EXPECT_TRUE(status.watch());
  EXPECT_FALSE(status.breakpoint());
  EXPECT_EQ(registers_.words[kDfsr], 0U);
}

TEST_F(ComparatorsTest, ArmsAStepOnlyWhenThatChanges) {
  units_.arm_step(true);
  EXPECT_EQ(registers_.words[kDemcr], kMonEn | kTrcena | kMonStep);
  const int before = registers_.writes;
  units_.arm_step(true);
  EXPECT_EQ(registers_.writes, before);
  units_.arm_step(false);
  EXPECT_EQ(registers_.words[kDemcr], kMonEn | kTrcena);
}

TEST_F(ComparatorsTest, PutsRightWhatTheApplicationChanged) {
  units_.insert_breakpoint(0x08000100);
  units_.insert_watchpoint({0x20000000, 4, WatchKind::kWrite});
  EXPECT_FALSE(units_.restore());
  registers_.words[kFpComparator] = 0;               // ours is gone
  registers_.words[kFpComparator + 4] = 0x0c000001;  // one in Secure code
  registers_.words[kFpControl] &= ~1U;
  registers_.words[comparator(0)] = 0;
  registers_.words[function(3)] |= 0x14;  // a watchpoint of its own
  registers_.words[kDemcr] &= ~kTrcena;
  EXPECT_TRUE(units_.restore());
  EXPECT_EQ(registers_.words[kFpComparator], 0x08000101U);
  EXPECT_EQ(registers_.words[kFpComparator + 4], 0U);
  EXPECT_EQ(registers_.words[kFpControl] & 1, 1U);
  EXPECT_EQ(registers_.words[comparator(0)], 0x20000000U);
  EXPECT_EQ(registers_.words[function(3)] & 0x3f, 0U);
  EXPECT_EQ(registers_.words[kDemcr], kMonEn | kTrcena);
  EXPECT_FALSE(units_.restore());
}

TEST_F(ComparatorsTest, LeavesWhatTheApplicationCountsAndTraces) {
  registers_.words[kDwtControl] |= 1;
  registers_.words[function(2)] |= 0x25;  // trace packets
  EXPECT_FALSE(units_.restore());
  EXPECT_EQ(registers_.words[kDwtControl] & 1, 1U);
  EXPECT_EQ(registers_.words[function(2)] & 0x3f, 0x25U);
}

TEST_F(ComparatorsTest, SeesAProbe) {
  EXPECT_FALSE(units_.probe_attached());
  registers_.words[kDhcsr] = 1;
  EXPECT_TRUE(units_.probe_attached());
}

}  // namespace
}  // namespace mv::arch
