#include "core/debug/next_pc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/debug/fake_target.h"
#include "core/debug/thumb.h"

namespace mv::debug {
namespace {

using test::kCode;
using test::kRam;
using test::kThumb;
using Kind = Step::Kind;

constexpr std::uint32_t kAt = kCode + 0x1000;  // where the instruction under test stands
constexpr std::uint32_t kZero = 1U << 30;      // xPSR.Z
constexpr std::uint32_t kCarry = 1U << 29;
constexpr std::uint32_t kNegative = 1U << 31;

class NextPc : public testing::Test {
 protected:
  NextPc() {
    context_.pc() = kAt;
    context_.xpsr() = kThumb;
    context_.sp() = kRam + 0x100;
    context_.lr() = (kCode + 0x200) | 1;
  }

  Step step(std::initializer_list<std::uint16_t> halfwords) {
    memory_.put(context_.pc(), halfwords);
    return next_step(context_, memory_);
  }

  std::uint32_t target(std::initializer_list<std::uint16_t> halfwords) {
    const Step result = step(halfwords);
    EXPECT_EQ(result.kind, Kind::kRun);
    EXPECT_EQ(result.count, 1U);
    return result.targets[0];
  }

  Context context_;
  test::FakeMemory memory_;
};

TEST_F(NextPc, OfOrdinaryInstructionsIsTheNextOne) {
  EXPECT_EQ(target({0xBF00}), kAt + 2);          // nop
  EXPECT_EQ(target({0x2001}), kAt + 2);          // movs r0, #1
  EXPECT_EQ(target({0xE9D2, 0x0100}), kAt + 4);  // ldrd r0, r1, [r2]
  EXPECT_EQ(target({0xF380, 0x8810}), kAt + 4);  // msr primask, r0
  EXPECT_EQ(target({0xF3BF, 0x8F5F}), kAt + 4);  // dmb sy
  EXPECT_EQ(target({0xE841, 0xF000}), kAt + 4);  // tt r0, r1
}

TEST_F(NextPc, OfBranchesIsTheirTarget) {
  EXPECT_EQ(target({0xE006}), kAt + 0x10);            // b .+0x10
  EXPECT_EQ(target({0xE7F6}), kAt - 0x10);            // b .-0x10
  EXPECT_EQ(target({0xF000, 0xBFFE}), kAt + 0x1000);  // b.w .+0x1000
  EXPECT_EQ(target({0xF000, 0xF9FE}), kAt + 0x400);   // bl .+0x400
  EXPECT_EQ(target({0xF7FF, 0xFDFE}), kAt - 0x400);   // bl .-0x400
}

TEST_F(NextPc, OfConditionalBranchesFollowsTheFlags) {
  context_.xpsr() |= kZero;
  EXPECT_EQ(target({0xD00E}), kAt + 0x20);       // beq .+0x20
  EXPECT_EQ(target({0xF040, 0x80FE}), kAt + 4);  // bne.w .+0x200
  context_.xpsr() &= ~kZero;
  EXPECT_EQ(target({0xD00E}), kAt + 2);
  EXPECT_EQ(target({0xF040, 0x80FE}), kAt + 0x200);
}

TEST_F(NextPc, OfCompareAndBranchFollowsTheRegister) {
  context_.core[1] = 0;
  EXPECT_EQ(target({0xB171}), kAt + 0x20);  // cbz r1, .+0x20
  EXPECT_EQ(target({0xB971}), kAt + 2);     // cbnz r1, .+0x20
  context_.core[1] = 5;
  EXPECT_EQ(target({0xB171}), kAt + 2);
  EXPECT_EQ(target({0xB971}), kAt + 0x20);
}

TEST_F(NextPc, OfRegisterBranchesIsTheRegisterWithoutItsThumbBit) {
  context_.core[1] = 0x20;
  context_.core[2] = kCode + 0x40;
  context_.core[3] = (kCode + 0x80) | 1;
  EXPECT_EQ(target({0x4770}), kCode + 0x200);   // bx lr
  EXPECT_EQ(target({0x4798}), kCode + 0x80);    // blx r3
  EXPECT_EQ(target({0x4697}), kCode + 0x40);    // mov pc, r2
  EXPECT_EQ(target({0x448F}), kAt + 4 + 0x20);  // add pc, r1
}

TEST_F(NextPc, OfLoadsIntoPcIsWhatTheyLoad) {
  memory_.put_word(kRam + 0x100, (kCode + 0x10) | 1);
  memory_.put_word(kRam + 0x104, (kCode + 0x20) | 1);
  memory_.put_word(kRam + 0x108, (kCode + 0x30) | 1);
  memory_.put_word(kAt + 4 + 8, (kCode + 0x40) | 1);
  context_.core[3] = kRam + 0x104;
  context_.core[0] = kRam + 0x100;
  context_.core[1] = 2;
  EXPECT_EQ(target({0xBD30}), kCode + 0x30);          // pop {r4, r5, pc}
  EXPECT_EQ(target({0xE8BD, 0x8010}), kCode + 0x20);  // ldmia sp!, {r4, pc}
  EXPECT_EQ(target({0xE893, 0x8010}), kCode + 0x30);  // ldmia r3, {r4, pc}
  EXPECT_EQ(target({0xE933, 0x8010}), kCode + 0x10);  // ldmdb r3!, {r4, pc}
  EXPECT_EQ(target({0xF8DF, 0xF008}), kCode + 0x40);  // ldr pc, [pc, #8]
  EXPECT_EQ(target({0xF8D0, 0xF004}), kCode + 0x20);  // ldr pc, [r0, #4]
  context_.core[0] = kRam + 0x104;
  EXPECT_EQ(target({0xF850, 0xFD04}), kCode + 0x10);  // ldr pc, [r0, #-4]!
  EXPECT_EQ(target({0xF85D, 0xFB04}), kCode + 0x10);  // ldr pc, [sp], #4
  context_.core[0] = kRam + 0x100;
  EXPECT_EQ(target({0xF850, 0xF021}), kCode + 0x30);  // ldr pc, [r0, r1, lsl #2]
}

TEST_F(NextPc, OfALiteralLoadAtAnOddHalfwordCountsFromTheAlignedPc) {
  context_.pc() = kAt + 2;
  memory_.put_word(kAt + 4 + 8, (kCode + 0x40) | 1);
  EXPECT_EQ(target({0xF8DF, 0xF008}), kCode + 0x40);
}

TEST_F(NextPc, OfTableBranchesComesFromTheTable) {
  context_.core[0] = 1;
  memory_.put(kAt + 4, {0x0903});                        // bytes 3, 9
  EXPECT_EQ(target({0xE8DF, 0xF000}), kAt + 4 + 2 * 9);  // tbb [pc, r0]
  memory_.put(kAt + 4, {0x0003, 0x0100});
  EXPECT_EQ(target({0xE8DF, 0xF010}), kAt + 4 + 2 * 0x100);  // tbh [pc, r0, lsl #1]
}

TEST_F(NextPc, OfAnInstructionWhoseConditionFailsIsTheNextOne) {
  context_.xpsr() = thumb::with_it_state(kThumb, 0x08);  // it eq
  EXPECT_EQ(target({0x4770}), kAt + 2);                  // bxeq lr, Z clear
  context_.xpsr() |= kZero;
  EXPECT_EQ(target({0x4770}), kCode + 0x200);
}

TEST_F(NextPc, OfASupervisorCallIsBehindItWithInterruptsOpen) {
  const Step result = step({0xDF01});
  EXPECT_EQ(result.kind, Kind::kRunOpen);
  EXPECT_EQ(result.targets[0], kAt + 2);
}

TEST_F(NextPc, OfWaitsAndBreakpointsIsFoundWithoutExecutingThem) {
  const auto skipped_to = [this](std::initializer_list<std::uint16_t> code) {
    const Step result = step(code);
    EXPECT_EQ(result.kind, Kind::kSkip);
    return result.targets[0];
  };
  EXPECT_EQ(skipped_to({0xBF30}), kAt + 2);          // wfi
  EXPECT_EQ(skipped_to({0xBF20}), kAt + 2);          // wfe
  EXPECT_EQ(skipped_to({0xF3AF, 0x8003}), kAt + 4);  // wfi.w
  EXPECT_EQ(skipped_to({0xBE01}), kAt + 2);          // bkpt #1
}

TEST_F(NextPc, OfAJumpToItselfIsSkipped) {
  const Step result = step({0xE7FE});  // b .
  EXPECT_EQ(result.kind, Kind::kSkip);
  EXPECT_EQ(result.targets[0], kAt);
}

TEST_F(NextPc, OfAJumpToItselfThatPopsIsFree) {
  memory_.put_word(kRam + 0x100, kAt | 1);
  EXPECT_EQ(step({0xBD00}).kind, Kind::kFree);  // pop {pc}
}

TEST_F(NextPc, OfASystemCallIsTheReturnAddress) {
  context_.core[3] = 0x100C0009;               // a veneer: no code of the application
  EXPECT_EQ(target({0x4798}), kAt + 2);        // blx r3
  EXPECT_EQ(target({0x4718}), kCode + 0x200);  // bx r3, from a long branch's stub: back to lr
}

TEST_F(NextPc, OfASystemCallThatIsToBeMadeAgainIsTheReturnAddress) {
  context_.pc() = 0x100C0228;  // its veneer
  const Step result = next_step(context_, memory_);
  EXPECT_EQ(result.kind, Kind::kRun);
  EXPECT_EQ(result.targets[0], kCode + 0x200);
  context_.lr() = 0x100C0000;
  EXPECT_EQ(next_step(context_, memory_).kind, Kind::kFree);
}

TEST_F(NextPc, OfAnExceptionReturnIsInTheFrame) {
  context_.xpsr() |= 15;       // SysTick
  context_.lr() = 0xFFFFFFB8;  // Non-secure frame, thread, main stack
  context_.sp() = kRam + 0x200;
  context_.system[1] = kRam + 0x300;
  memory_.put_word(kRam + 0x200 + 0x18, kCode + 0x50);
  memory_.put_word(kRam + 0x300 + 0x18, kCode + 0x60);
  EXPECT_EQ(target({0x4770}), kCode + 0x50);  // bx lr
  context_.lr() = 0xFFFFFFBC;                 // process stack
  EXPECT_EQ(target({0x4770}), kCode + 0x60);
}

TEST_F(NextPc, OfAnExceptionReturnByPopUsesTheStackBehindThePop) {
  context_.xpsr() |= 15;
  memory_.put_word(kRam + 0x104, 0xFFFFFFB8);
  memory_.put_word(kRam + 0x108 + 0x18, kCode + 0x70);
  EXPECT_EQ(target({0xBD10}), kCode + 0x70);  // pop {r4, pc}
}

TEST_F(NextPc, OfAReturnIntoTheSecureSideIsUnknown) {
  context_.xpsr() |= 15;
  context_.lr() = 0xFFFFFFFD;  // the interrupt came while Secure code ran
  EXPECT_EQ(step({0x4770}).kind, Kind::kLeave);
  context_.xpsr() = kThumb;
  context_.lr() = 0xFEFFFFFF;  // FNC_RETURN
  EXPECT_EQ(step({0x4770}).kind, Kind::kLeave);
}

TEST_F(NextPc, OfAnExclusiveSequenceIsBehindTheStore) {
  memory_.put(kAt + 4, {0x3001, 0xE841, 0x0200, 0x2A00, 0xD1F8});  // adds; strex; cmp; bne
  EXPECT_EQ(target({0xE851, 0x0F00}), kAt + 10);                   // ldrex r0, [r1]
}

TEST_F(NextPc, OfAnExclusiveSequenceIsAlsoWhereItIsLeft) {
  memory_.put(kAt + 4, {0xB930, 0xE841, 0x0200});  // cbnz r0, .+0x10; strex
  const Step result = step({0xE851, 0x0F00});
  EXPECT_THAT(result.stops(), testing::ElementsAre(kAt + 4 + 0x10, kAt + 10));
}

TEST_F(NextPc, OfUnreadableCodeOrStackIsNowhere) {
  context_.sp() = 0;
  EXPECT_EQ(step({0xBD00}).kind, Kind::kFree);
  context_.pc() = context_.lr() = 0x50000000;
  EXPECT_EQ(next_step(context_, memory_).kind, Kind::kFree);
}

TEST(Conditions, HoldAsTheArchitectureSays) {
  EXPECT_TRUE(thumb::passes(2, kCarry));   // CS
  EXPECT_FALSE(thumb::passes(3, kCarry));  // CC
  EXPECT_TRUE(thumb::passes(8, kCarry));   // HI
  EXPECT_FALSE(thumb::passes(8, kCarry | kZero));
  EXPECT_TRUE(thumb::passes(11, kNegative));  // LT
  EXPECT_TRUE(thumb::passes(13, kZero));      // LE
  EXPECT_TRUE(thumb::passes(12, 0));          // GT
  EXPECT_TRUE(thumb::passes(14, 0));
}

TEST(ItState, AdvancesToTheNextInstructionAndEnds) {
  const std::uint32_t ite = thumb::with_it_state(kThumb, 0x0C);  // ite eq: mask 1100
  const std::uint32_t second = advance_it(ite);
  EXPECT_EQ(thumb::it_state(second), 0x18U);  // the second instruction is "ne"
  EXPECT_EQ(thumb::it_state(advance_it(second)), 0U);
  EXPECT_EQ(advance_it(second) & kThumb, kThumb);
}

}  // namespace
}  // namespace mv::debug
