#include "gdbserver/target/statements.h"

#include <gtest/gtest.h>

namespace mv::gdb {
namespace {

using Ranges = std::vector<CodeRange>;
constexpr std::size_t kMany = 32;

// A function at 0x100 with its prologue, line 10 in three pieces around line 11, and a function of the same lines
// behind.
Statements example() {
  return {{{0x100, 9, 1},
           {0x108, 10, 1},
           {0x110, 11, 1},
           {0x114, 10, 1},
           {0x118, 10, 1},
           {0x120, 12, 1},
           {0x124, 10, 2},
           {0x128, 0, 0},
           {0x128, 9, 1},
           {0x130, 10, 1},
           {0x140, 0, 0}},
          {{0x100, 0x128}, {0x128, 0x140}}};
}

TEST(Statements, GathersTheRowsOfOneLineInOneFunctionAndFile) {
  EXPECT_EQ(example().ranges({0x108, 0x110}, kMany), (Ranges{{0x108, 0x110}, {0x114, 0x120}}));
  EXPECT_EQ(example().ranges({0x114, 0x118}, kMany), (Ranges{{0x114, 0x120}, {0x108, 0x110}}));
  EXPECT_EQ(example().ranges({0x110, 0x114}, kMany), (Ranges{{0x110, 0x114}}));
}

TEST(Statements, LeavesARangeThatIsNoRow) {
  EXPECT_EQ(example().ranges({0x108, 0x10e}, kMany), (Ranges{{0x108, 0x10e}}));
  EXPECT_EQ(example().ranges({0x10a, 0x110}, kMany), (Ranges{{0x10a, 0x110}}));
  EXPECT_EQ(example().ranges({0x900, 0x910}, kMany), (Ranges{{0x900, 0x910}}));
  EXPECT_EQ(Statements().ranges({0x108, 0x110}, kMany), (Ranges{{0x108, 0x110}}));
}

TEST(Statements, AFunctionOnOneLineIsSeenToCallItself) {
  const Statements one_line({{0x100, 5, 1}, {0x108, 5, 1}, {0x110, 5, 1}, {0x118, 0, 0}}, {{0x100, 0x118}});
  EXPECT_EQ(one_line.ranges({0x100, 0x108}, kMany), (Ranges{{0x100, 0x108}}));
  EXPECT_EQ(one_line.ranges({0x108, 0x110}, kMany), (Ranges{{0x108, 0x118}}));
}

TEST(Statements, OfSeveralRowsAtOneAddressTheLastCounts) {
  const Statements rows({{0x100, 4, 1}, {0x108, 5, 1}, {0x108, 6, 1}, {0x110, 6, 1}, {0x118, 0, 0}}, {{0x100, 0x118}});
  EXPECT_EQ(rows.ranges({0x108, 0x110}, kMany), (Ranges{{0x108, 0x118}}));
}

TEST(Statements, NamesNoMoreRangesThanTheDeviceTakes) {
  EXPECT_EQ(example().ranges({0x114, 0x118}, 1), (Ranges{{0x114, 0x120}}));
}

}  // namespace
}  // namespace mv::gdb
