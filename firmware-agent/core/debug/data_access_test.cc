#include "core/debug/data_access.h"

#include <gtest/gtest.h>

namespace mv::debug {
namespace {

// What is expected; `sources` as in DataAccess, empty if the stored bytes cannot be told.
struct Expected {
  std::uint32_t address, size;
  bool writes;
  std::vector<std::uint8_t> sources;
};

// r0 is 0x1000, r1 is 0x2000 and so on; sp (r13) is 0xE000; pc is 0x100002, so that Align(PC, 4) is 0x100004.
Context context() {
  Context context;
  for (std::uint32_t i = 0; i < 15; ++i) context.core[i] = (i + 1) << 12;
  context.pc() = 0x00100002;
  context.xpsr() = 1U << 24;
  return context;
}

std::optional<DataAccess> access(std::uint32_t code) {
  const bool wide = code > 0xFFFF;
  const thumb::Instruction instruction{.first = static_cast<std::uint16_t>(wide ? code >> 16 : code),
                                       .second = static_cast<std::uint16_t>(wide ? code : 0),
                                       .size = wide ? 4U : 2U};
  return data_access(context(), instruction);
}

void expect(std::uint32_t code, const Expected& expected) {
  const auto found = access(code);
  ASSERT_TRUE(found) << std::hex << code;
  EXPECT_EQ(found->address, expected.address) << std::hex << code;
  EXPECT_EQ(found->size, expected.size) << std::hex << code;
  EXPECT_EQ(found->writes, expected.writes) << std::hex << code;
  EXPECT_EQ(
      std::vector(found->sources.begin(), found->sources.begin() + static_cast<std::ptrdiff_t>(found->source_count)),
      expected.sources)
      << std::hex << code;
}

TEST(DataAccess, KnowsNarrowLoadsAndStores) {
  expect(0x4902, {0x0010000C, 4, false, {}});       // ldr r1, [pc, #8]
  expect(0x5088, {0x2000 + 0x3000, 4, true, {0}});  // str r0, [r1, r2]
  expect(0x5288, {0x5000, 2, true, {0}});           // strh r0, [r1, r2]
  expect(0x5488, {0x5000, 1, true, {0}});           // strb r0, [r1, r2]
  expect(0x5688, {0x5000, 1, false, {}});           // ldrsb r0, [r1, r2]
  expect(0x5888, {0x5000, 4, false, {}});           // ldr r0, [r1, r2]
  expect(0x5E88, {0x5000, 2, false, {}});           // ldrsh r0, [r1, r2]
  expect(0x6048, {0x2004, 4, true, {0}});           // str r0, [r1, #4]
  expect(0x6888, {0x2008, 4, false, {}});           // ldr r0, [r1, #8]
  expect(0x70C8, {0x2003, 1, true, {0}});           // strb r0, [r1, #3]
  expect(0x7808, {0x2000, 1, false, {}});           // ldrb r0, [r1]
  expect(0x8048, {0x2002, 2, true, {0}});           // strh r0, [r1, #2]
  expect(0x8848, {0x2002, 2, false, {}});           // ldrh r0, [r1, #2]
  expect(0x9301, {0xE004, 4, true, {3}});           // str r3, [sp, #4]
  expect(0x9B01, {0xE004, 4, false, {}});           // ldr r3, [sp, #4]
  expect(0xB510, {0xE000 - 8, 8, true, {4, 14}});   // push {r4, lr}
  expect(0xBD10, {0xE000, 8, false, {}});           // pop {r4, pc}
  expect(0xC10C, {0x2000, 8, true, {2, 3}});        // stmia r1!, {r2, r3}
  expect(0xC90C, {0x2000, 8, false, {}});           // ldmia r1!, {r2, r3}
}

TEST(DataAccess, KnowsWideLoadsAndStores) {
  expect(0xF8C10123, {0x2123, 4, true, {0}});           // str.w r0, [r1, #0x123]
  expect(0xF8D10123, {0x2123, 4, false, {}});           // ldr.w r0, [r1, #0x123]
  expect(0xF8810003, {0x2003, 1, true, {0}});           // strb.w r0, [r1, #3]
  expect(0xF9B10002, {0x2002, 2, false, {}});           // ldrsh.w r0, [r1, #2]
  expect(0xF8410D04, {0x1FFC, 4, true, {0}});           // str r0, [r1, #-4]!
  expect(0xF8410B04, {0x2000, 4, true, {0}});           // str r0, [r1], #4
  expect(0xF8410C04, {0x1FFC, 4, true, {0}});           // str r0, [r1, #-4]
  expect(0xF8410022, {0x2000 + 0xC000, 4, true, {0}});  // str.w r0, [r1, r2, lsl #2]
  expect(0xF8DF0008, {0x0010000C, 4, false, {}});       // ldr.w r0, [pc, #8]
  expect(0xF85F0004, {0x00100000, 4, false, {}});       // ldr.w r0, [pc, #-4]
  expect(0xE9C10102, {0x2008, 8, true, {0, 1}});        // strd r0, r1, [r1, #8]
  expect(0xE9D10102, {0x2008, 8, false, {}});           // ldrd r0, r1, [r1, #8]
  expect(0xE8E10102, {0x2000, 8, true, {0, 1}});        // strd r0, r1, [r1], #8
  expect(0xE8A1000D, {0x2000, 12, true, {0, 2, 3}});    // stmia.w r1!, {r0, r2, r3}
  expect(0xE92D4010, {0xE000 - 8, 8, true, {4, 14}});   // push.w {r4, lr}
  expect(0xE8BD8010, {0xE000, 8, false, {}});           // pop.w {r4, pc}
  expect(0xE911000C, {0x2000 - 8, 8, false, {}});       // ldmdb r1, {r2, r3}
}

TEST(DataAccess, KnowsExclusivesAndTables) {
  expect(0xE8510F01, {0x2004, 4, false, {}});               // ldrex r0, [r1, #4]
  expect(0xE8410201, {0x2004, 4, true, {}});                // strex r2, r0, [r1, #4]: may store nothing
  expect(0xE8D10F4F, {0x2000, 1, false, {}});               // ldrexb r0, [r1]
  expect(0xE8C10F52, {0x2000, 2, true, {}});                // strexh r2, r0, [r1]
  expect(0xE8D10FAF, {0x2000, 4, false, {}});               // lda r0, [r1]
  expect(0xE8C10F8F, {0x2000, 1, true, {0}});               // stlb r0, [r1]
  expect(0xE8C10FE2, {0x2000, 4, true, {}});                // stlex r2, r0, [r1]
  expect(0xE8D1F002, {0x2000 + 0x3000, 1, false, {}});      // tbb [r1, r2]
  expect(0xE8D1F012, {0x2000 + 0x6000, 2, false, {}});      // tbh [r1, r2, lsl #1]
  expect(0xE8DFF002, {0x00100006 + 0x3000, 1, false, {}});  // tbb [pc, r2]
}

TEST(DataAccess, KnowsFloatingPointTransfers) {
  expect(0xED810A01, {0x2004, 4, true, {16}});                    // vstr s0, [r1, #4]
  expect(0xEDC10A01, {0x2004, 4, true, {17}});                    // vstr s1, [r1, #4]
  expect(0xED811B02, {0x2008, 8, true, {18, 19}});                // vstr d1, [r1, #8]
  expect(0xED911B02, {0x2008, 8, false, {}});                     // vldr d1, [r1, #8]
  expect(0xED110A01, {0x1FFC, 4, false, {}});                     // vldr s0, [r1, #-4]
  expect(0xECA10A02, {0x2000, 8, true, {16, 17}});                // vstmia r1!, {s0, s1}
  expect(0xED2D8B04, {0xE000 - 16, 16, true, {32, 33, 34, 35}});  // vpush {d8, d9}
  expect(0xECBD8B04, {0xE000, 16, false, {}});                    // vpop {d8, d9}
}

TEST(DataAccess, KnowsThatTheRestTouchesNothing) {
  EXPECT_FALSE(access(0xBF00));      // nop
  EXPECT_FALSE(access(0x1840));      // adds
  EXPECT_FALSE(access(0x4770));      // bx lr
  EXPECT_FALSE(access(0xB110));      // cbz
  EXPECT_FALSE(access(0xDF00));      // svc
  EXPECT_FALSE(access(0xE97FE97F));  // sg
  EXPECT_FALSE(access(0xE841F200));  // tt r2, r1
  EXPECT_FALSE(access(0xF891F000));  // pld [r1]
  EXPECT_FALSE(access(0xEC510B10));  // vmov r0, r1, d0
  EXPECT_FALSE(access(0xF7FFFFFE));  // bl
  EXPECT_FALSE(access(0xE8B00000));  // ldmia.w r0!, {}: unpredictable
  EXPECT_FALSE(access(0xC100));      // stmia r1!, {}: unpredictable
}

TEST(DataAccess, AnInstructionThatItsItBlockSkipsTouchesNothing) {
  Context equal = context();
  equal.xpsr() = thumb::with_it_state(equal.xpsr(), 0x08);  // it eq, and Z is clear
  EXPECT_FALSE(data_access(equal, {.first = 0x6048}));
  equal.xpsr() |= 1U << 30;
  EXPECT_TRUE(data_access(equal, {.first = 0x6048}));
}

TEST(DataAccess, TellsTheBytesThatAreStored) {
  Context full = context();
  full.core[0] = 0x44332211;
  full.core[1] = 0x88776655;
  const auto pair = data_access(full, {.first = 0xE9C2, .second = 0x0100, .size = 4});  // strd r0, r1, [r2]
  ASSERT_TRUE(pair);
  for (std::uint32_t i = 0; i < 8; ++i) EXPECT_EQ(pair->stored(i, full), 0x11 * (i + 1));
  EXPECT_FALSE(pair->stored(8, full));
  const auto halfword = data_access(full, {.first = 0x8010});  // strh r0, [r2]
  EXPECT_EQ(halfword->stored(1, full), 0x22);
  EXPECT_FALSE(halfword->stored(2, full));
}

}  // namespace
}  // namespace mv::debug
