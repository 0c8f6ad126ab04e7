#include "wire/fault.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace mv::fault {
namespace {

constexpr std::uint32_t kPreciseBus = 0x8200, kPreciseMemory = 0x82, kForced = 1U << 30;
constexpr Access kWrite = {.address = 0x40004400, .size = 4, .writes = true};
constexpr Access kRead = {.address = 0x30000000, .size = 4, .writes = false};

std::string text_of(const Fault& fault) {
  std::array<char, kLongestText> buffer;
  return std::string(describe(fault, buffer));
}

TEST(Fault, NamesTheDirectionAndTheAddressOfAPreciseAccess) {
  EXPECT_EQ(text_of({.cfsr = kPreciseBus, .bfar = 0x40004400, .access = kWrite}),
            "bus fault: write to 0x40004400, precise");
  EXPECT_EQ(text_of({.cfsr = kPreciseMemory, .mmfar = 0x28200000, .access = kRead}),
            "memory fault: read of 0x28200000, forbidden by the MPU");
  EXPECT_EQ(text_of({.cfsr = kPreciseBus, .bfar = 0x40004400}), "bus fault: access to 0x40004400, precise")
      << "the instruction cannot be decoded";
}

TEST(Fault, TakesTheAddressFromTheInstructionWhereTheProcessorSaysNone) {
  EXPECT_EQ(text_of({.sfsr = 8, .access = kRead}), "secure fault: read of 0x30000000, memory of the microvisor");
  EXPECT_EQ(text_of({.sfsr = 0x48, .sfar = 0x30000004, .access = kRead}),
            "secure fault: read of 0x30000004, memory of the microvisor");
  EXPECT_EQ(text_of({.cfsr = 1U << 24, .access = {.address = 0x28200001, .size = 8, .writes = true}}),
            "usage fault: write to 0x28200001, unaligned");
  EXPECT_EQ(text_of({.sfsr = 8}), "secure fault: access to data, memory of the microvisor");
}

TEST(Fault, AnImpreciseOneNamesNoAddress) {
  EXPECT_EQ(text_of({.cfsr = 1U << 10, .bfar = 0x40004400, .access = kWrite}),
            "bus fault: an earlier write, imprecise: pc is past it");
}

TEST(Fault, KnowsEveryKindOfUsageFault) {
  EXPECT_EQ(text_of({.cfsr = 1U << 16}), "usage fault: undefined instruction");
  EXPECT_EQ(text_of({.cfsr = 1U << 17}), "usage fault: not in Thumb state (a branch to an even address?)");
  EXPECT_EQ(text_of({.cfsr = 1U << 18}), "usage fault: bad exception return");
  EXPECT_EQ(text_of({.cfsr = 1U << 19}), "usage fault: no coprocessor (is the FPU enabled?)");
  EXPECT_EQ(text_of({.cfsr = 1U << 20}), "usage fault: stack overflow, below the stack limit");
  EXPECT_EQ(text_of({.cfsr = 1U << 25}), "usage fault: division by zero");
}

TEST(Fault, AFaultInAHandlerOfFaultsIsToldWithItsCause) {
  EXPECT_EQ(text_of({.cfsr = 1U << 16, .hfsr = kForced, .exception = 6}),
            "usage fault: undefined instruction, escalated in the UsageFault handler");
  EXPECT_EQ(text_of({.cfsr = 1U << 25, .hfsr = kForced, .exception = 3}),
            "lockup: usage fault: division by zero, in the HardFault handler");
  EXPECT_EQ(text_of({.cfsr = 1U << 25, .hfsr = kForced, .exception = 15}), "usage fault: division by zero")
      << "a handler of something else is none of faults";
}

TEST(Fault, WithoutACauseSaysWhatIsKnown) {
  EXPECT_EQ(text_of({.hfsr = kForced}),
            "hard fault: an exception that could not be taken (SVC with interrupts masked?)");
  EXPECT_EQ(text_of({}), "hard fault: no cause is recorded");
  EXPECT_EQ(text_of({.hfsr = 2}), "hard fault: the vector table cannot be read");
}

TEST(Fault, JoinsSeveralCauses) {
  EXPECT_EQ(text_of({.cfsr = 1U << 12 | 1U << 9}),
            "bus fault: access to data, precise; bus fault: bad stack pointer at exception entry");
}

TEST(Fault, EveryCauseAtOnceFitsAndASmallBufferCutsTheText) {
  const Fault everything = {.cfsr = ~0U, .hfsr = ~0U, .sfsr = ~0U, .access = kWrite, .exception = 3};
  std::array<char, 4 * kLongestText> ample;
  const auto whole = describe(everything, ample);
  EXPECT_TRUE(whole.ends_with("in the HardFault handler"));
  EXPECT_LE(whole.size(), kLongestText);
  std::array<char, 16> small;
  EXPECT_EQ(describe({.cfsr = 1U << 25}, small), "usage fault: div");
}

}  // namespace
}  // namespace mv::fault
