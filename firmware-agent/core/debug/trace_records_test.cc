#include "core/debug/trace_records.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/debug/agent_expression.h"
#include "core/debug/fake_device.h"
#include "core/debug/fake_target.h"

namespace mv::debug {
namespace {

using test::FakeMemory;
using test::kRam;
using testing::ElementsAre;
using Bytes = std::vector<std::uint8_t>;

class TraceRecordsTest : public testing::Test {
 protected:
  TraceRecordsTest() {
    records_.start(clock_);
    memory_.put_word(kRam, 0x44332211);
  }

  // One record with `size` bytes of memory.
  void write(std::size_t size) {
    records_.begin(0x00100020);
    records_.put_memory(memory_, kRam, size);
    records_.end();
  }

  Bytes take(std::size_t most = TraceRecords::kLongest) {
    Bytes bytes(most);
    bytes.resize(records_.take(bytes));
    return bytes;
  }

  static std::uint32_t number_of(const Bytes& record) { return record.at(2) | std::uint32_t{record.at(3)} << 8; }

  test::FakeClock clock_;
  FakeMemory memory_;
  TraceRecords records_;
};

TEST_F(TraceRecordsTest, HoldNumberTimeAddressRegistersAndMemory) {
  clock_.now_us = 0x0123456789;
  Context context;
  context.core[7] = 0x28200100;
  records_.begin(0x00100020);
  records_.put_register(context, 7);
  records_.put_memory(memory_, kRam, 4);
  records_.end();

  EXPECT_THAT(take(), ElementsAre(32, 0,                               // bytes that follow
                                  1, 0, 0, 0,                          // number
                                  0x89, 0x67, 0x45, 0x23, 1, 0, 0, 0,  // time
                                  0x20, 0x00, 0x10, 0x00,              // address
                                  7, 0x00, 0x01, 0x20, 0x28,           // r7
                                  255, 0x00, 0x00, 0x20, 0x28, 4, 0, 0x11, 0x22, 0x33, 0x44));
  EXPECT_TRUE(records_.empty());
}

TEST_F(TraceRecordsTest, HoldFloatingPointRegistersWhenThereAreSome) {
  constexpr std::uint8_t kD1 = 18;
  Context context;
  context.fp[2] = 0x11111111;
  context.fp[3] = 0x22222222;
  records_.begin(0);
  records_.put_register(context, kD1);
  records_.end();
  EXPECT_EQ(take().size(), 18U);

  context.has_fp = true;
  records_.begin(0);
  records_.put_register(context, kD1);
  records_.end();
  const Bytes record = take();
  EXPECT_THAT(Bytes(record.begin() + 18, record.end()),
              ElementsAre(kD1, 0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x22, 0x22));
}

TEST_F(TraceRecordsTest, LeaveOutWhatCannotBeReadOrHasNoRoom) {
  records_.begin(0);
  EXPECT_EQ(records_.put_memory(memory_, 0, 4), TraceRecords::Put::kUnreadable);
  EXPECT_EQ(records_.put_memory(memory_, kRam, TraceRecords::kLongest), TraceRecords::Put::kNoRoom);
  EXPECT_EQ(records_.put_memory(memory_, kRam, 1), TraceRecords::Put::kDone);
  records_.end();

  EXPECT_EQ(take().size(), 18U + 8U);
}

TEST_F(TraceRecordsTest, AreTakenWholeAndInOrder) {
  write(4);
  write(4);
  write(4);
  const std::size_t one = 18 + 11;

  EXPECT_EQ(take(one - 1).size(), 0U);
  EXPECT_EQ(take(2 * one + 5).size(), 2 * one);
  EXPECT_EQ(number_of(take()), 3U);
}

TEST_F(TraceRecordsTest, GoRoundTheirRing) {
  for (std::uint32_t round = 1; round <= 200; ++round) {
    write(100);
    const Bytes record = take();
    ASSERT_EQ(record.size(), 18U + 107U);
    ASSERT_EQ(number_of(record), round);
    ASSERT_EQ(record[25], 0x11);
  }
}

TEST_F(TraceRecordsTest, CountWhatFindsNoRoom) {
  for (int i = 0; i < 100; ++i) write(100);
  const std::size_t kept = TraceRecords::kCapacity / (18 + 107);
  EXPECT_TRUE(records_.half_full());
  EXPECT_EQ(records_.hits(), 100U);

  for (std::size_t i = 1; i <= kept; ++i) EXPECT_EQ(number_of(take(18 + 107)), i);
  EXPECT_TRUE(records_.empty());
  write(1);
  EXPECT_EQ(number_of(take()), 101U);
}

TEST_F(TraceRecordsTest, CountFromOneWhenTheyAreStartedAnew) {
  write(1);
  records_.start(clock_);
  EXPECT_TRUE(records_.empty());
  write(1);
  EXPECT_EQ(number_of(take()), 1U);
}

// What GDB's `collect` sends, evaluated.
class Collecting : public TraceRecordsTest {
 protected:
  ExpressionError collect(Bytes code) {
    Context context;
    context.core[1] = kRam;
    records_.begin(0);
    const ExpressionError error = evaluate(code, context, memory_, console_, &records_).error;
    records_.end();
    record_ = take();
    record_.erase(record_.begin(), record_.begin() + 18);
    return error;
  }

  ConsoleText console_;
  Bytes record_;
};

TEST_F(Collecting, AKnownSizeLeavesTheAddressWhereItIs) {
  // reg 1; trace_quick 4; ref32; pop; end
  EXPECT_EQ(collect({0x26, 0, 1, 0x0D, 4, 0x19, 0x29, 0x27}), ExpressionError::kNone);
  EXPECT_THAT(record_, ElementsAre(255, 0, 0, 0x20, 0x28, 4, 0, 0x11, 0x22, 0x33, 0x44));
}

TEST_F(Collecting, AComputedSizeTakesBothFromTheStack) {
  // reg 1; const8 2; trace; end
  EXPECT_EQ(collect({0x26, 0, 1, 0x22, 2, 0x0C, 0x27}), ExpressionError::kNone);
  EXPECT_THAT(record_, ElementsAre(255, 0, 0, 0x20, 0x28, 2, 0, 0x11, 0x22));
}

TEST_F(Collecting, ASizeOfSixteenBits) {
  // reg 1; trace16 0x0101; end
  EXPECT_EQ(collect({0x26, 0, 1, 0x30, 1, 1, 0x27}), ExpressionError::kNone);
  EXPECT_EQ(record_.size(), 7U + 0x101U);
}

TEST_F(Collecting, AStringEndsWithItsNulOrWhereItMayBeReadNoFurther) {
  memory_.put_word(kRam, 0x00006968);
  // reg 1; const8 80; tracenz; end
  EXPECT_EQ(collect({0x26, 0, 1, 0x22, 80, 0x2F, 0x27}), ExpressionError::kNone);
  EXPECT_THAT(record_, ElementsAre(255, 0, 0, 0x20, 0x28, 3, 0, 'h', 'i', 0));
  // reg 1; const8 1; tracenz; end
  EXPECT_EQ(collect({0x26, 0, 1, 0x22, 1, 0x2F, 0x27}), ExpressionError::kNone);
  EXPECT_THAT(record_, ElementsAre(255, 0, 0, 0x20, 0x28, 1, 0, 'h'));
}

TEST_F(Collecting, StopsAtAnAddressThatCannotBeReadAndKeepsWhatCameBefore) {
  // reg 1; trace_quick 1; pop; const8 0; trace_quick 4; end
  EXPECT_EQ(collect({0x26, 0, 1, 0x0D, 1, 0x29, 0x22, 0, 0x0D, 4, 0x27}), ExpressionError::kBadAddress);
  EXPECT_THAT(record_, ElementsAre(255, 0, 0, 0x20, 0x28, 1, 0, 0x11));
}

TEST_F(Collecting, SaysWhenARecordIsFull) {
  // reg 1; trace16 0x1000; end
  EXPECT_EQ(collect({0x26, 0, 1, 0x30, 0x10, 0, 0x27}), ExpressionError::kRecordFull);
}

TEST_F(Collecting, IsForTracesOnly) {
  const Bytes code = {0x26, 0, 1, 0x0D, 4, 0x27};
  EXPECT_EQ(evaluate(code, Context{}, memory_, console_).error, ExpressionError::kUnknownOpcode);
}

}  // namespace
}  // namespace mv::debug
