#include "core/debug/fault.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "core/debug/fake_target.h"

namespace mv::debug {
namespace {

using test::kCode;

constexpr std::uint32_t kAddress = 0x40004400;
constexpr std::uint32_t kPreciseBus = 0x8200, kImpreciseBus = 0x400;
constexpr std::uint16_t kStore = 0x6008, kLoad = 0x6808, kNop = 0xBF00;  // str, ldr r0, [r1]

class FaultTest : public testing::Test {
 protected:
  FaultTest() {
    context_.pc() = kCode;
    context_.xpsr() = test::kThumb;
    context_.core[1] = kAddress;
  }

  fault::Fault explain(std::uint16_t instruction, const FaultRegisters& registers) {
    memory_.put(kCode, {instruction});
    return explain_fault(registers, context_, memory_);
  }

  test::FakeMemory memory_;
  Context context_;
};

TEST_F(FaultTest, TellsWritesFromReads) {
  EXPECT_EQ(explain(kStore, {.cfsr = kPreciseBus, .bfar = kAddress}).access,
            (fault::Access{.address = kAddress, .size = 4, .writes = true}));
  EXPECT_EQ(explain(kLoad, {.cfsr = kPreciseBus, .bfar = kAddress}).access,
            (fault::Access{.address = kAddress, .size = 4, .writes = false}));
}

TEST_F(FaultTest, TheSentenceIsWhole) {
  std::array<char, fault::kLongestText> buffer;
  const auto fault = explain(kStore, {.cfsr = kPreciseBus, .bfar = kAddress + 2});
  EXPECT_EQ(std::string(fault::describe(fault, buffer)), "bus fault: write to 0x40004402, precise")
      << "the processor knows which of the bytes it was";
}

TEST_F(FaultTest, WhereTheProcessorNamesNoAddressTheInstructionDoes) {
  EXPECT_EQ(fault::data_address(explain(kLoad, {.sfsr = 8})).value, kAddress);
}

TEST_F(FaultTest, AnInstructionThatDoesNotTouchTheAddressIsNotToBlame) {
  EXPECT_FALSE(explain(kStore, {.cfsr = kPreciseBus, .bfar = kAddress + 4}).access.known());
  EXPECT_FALSE(explain(kStore, {.cfsr = kPreciseBus, .bfar = kAddress - 1}).access.known());
  EXPECT_FALSE(explain(kNop, {.cfsr = kPreciseBus, .bfar = kAddress}).access.known());
}

TEST_F(FaultTest, WhatIsNoPreciseAccessIsNotDecoded) {
  EXPECT_FALSE(explain(kStore, {.cfsr = kImpreciseBus}).access.known());
  EXPECT_FALSE(explain(kStore, {.cfsr = 1U << 25}).access.known());
}

TEST_F(FaultTest, ALostFrameTellsNothing) {
  context_.frame_valid = false;
  context_.core[16] = 3;
  const auto fault = explain(kStore, {.cfsr = kPreciseBus, .bfar = kAddress});
  EXPECT_FALSE(fault.access.known());
  EXPECT_EQ(fault.exception, 0U);
}

TEST_F(FaultTest, CodeThatCannotBeReadIsNotGuessed) {
  context_.pc() = 0;
  EXPECT_FALSE(explain_fault({.cfsr = kPreciseBus, .bfar = kAddress}, context_, memory_).access.known());
}

TEST_F(FaultTest, NamesTheHandlerThatRan) {
  context_.core[16] = test::kThumb | 6;
  EXPECT_EQ(explain(kNop, {.cfsr = 1U << 16}).exception, 6U);
}

}  // namespace
}  // namespace mv::debug
