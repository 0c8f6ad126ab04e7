#include "bundle/layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mv::bundle {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// As GNU ld writes it, a little of everything.
constexpr const char* kMap = R"(Archive member included to satisfy reference by file (symbol)

Discarded input sections

 .text.unused   0x00000000       0x10 a.o

Memory Configuration

Linker script and memory map

LOAD a.o
                0x00002000                        __stack_size = 0x2000

.text           0x00100280       0x60
 *(.text .text.*)
 .text.main     0x00100280       0x20 build/a.o
                0x00100280                main
 *fill*         0x001002a0        0x4 ff
 .text._ZN6sensor4readEPhj
                0x001002a4       0x1c build/b b.o
                0x001002a4                sensor::read(unsigned char*, unsigned int)
 .text.empty    0x001002c0        0x0 build/a.o
 .text          0x001002c0       0x20 /usr/lib/libc.a(memcpy.o)

.rodata         0x001002e0       0x20
 .rodata.main.str1.4
                0x001002e0       0x10 build/a.o
                                 0x18 (size before relaxing)
 .rodata.gone.str1.4
                0x001002f0        0xc build/a.o
 .rodata.table  0x001002f0       0x10 build/b b.o

.data           0x28200000        0x8
 .data.level    0x28200000        0x8 build/a.o

.bss            0x28200008        0x8
 .bss.count     0x28200008        0x8 build/a.o

.comment        0x00000000       0x26
 .comment       0x00000000       0x26 build/a.o
)";

PlacedSection text(const std::string& function, std::uint64_t address, std::uint64_t size,
                   const std::string& file = "build/a.o") {
  return {".text", ".text." + function, file, address, size};
}

// Where the script puts a section; 0 if it does not name it.
std::uint64_t place_of(const std::string& script, const std::string& section) {
  const std::size_t line = script.find("(" + section + ")\n");
  if (line == std::string::npos) return 0;
  const std::size_t number = script.rfind("0x", line);
  return std::stoull(script.substr(number), nullptr, 16);
}

TEST(LinkMap, HasWhatTheLinkerPlaced) {
  const auto map = LinkMap::parse(kMap);
  ASSERT_TRUE(map);
  std::vector<std::string> lines;
  for (const PlacedSection& each : map->sections) {
    lines.push_back(each.output + " " + each.name + " " + each.file + " " + std::to_string(each.address) + " " +
                    std::to_string(each.size));
  }
  EXPECT_THAT(
      lines, ::testing::ElementsAre(
                 ".text .text.main build/a.o 1049216 32", ".text .text._ZN6sensor4readEPhj build/b b.o 1049252 28",
                 ".text .text /usr/lib/libc.a(memcpy.o) 1049280 32", ".rodata .rodata.main.str1.4 build/a.o 1049312 16",
                 ".rodata .rodata.table build/b b.o 1049328 16", ".data .data.level build/a.o 673185792 8",
                 ".bss .bss.count build/a.o 673185800 8"))
      << "not what came to nothing: it is empty, was discarded, or was merged into another";
}

TEST(LinkMap, RefusesWhatIsNone) {
  EXPECT_THAT(LinkMap::parse("").error().message, HasSubstr("no map of GNU ld"));
  EXPECT_FALSE(LinkMap::parse("VMA LMA Size Align Out In Symbol\n"));
  for (std::size_t cut = 0; cut < std::string_view(kMap).size(); ++cut) {
    const auto map = LinkMap::parse(std::string_view(kMap).substr(0, cut));
    EXPECT_TRUE(!map || map->sections.size() <= 8U);
  }
}

TEST(Layout, TheSameProgramStaysAsItIs) {
  const auto map = LinkMap::parse(kMap);
  const Layout layout = make_layout(*map, *map);
  EXPECT_EQ(layout.kept, 7U);
  EXPECT_EQ(layout.moved + layout.added, 0U);
  EXPECT_EQ(place_of(layout.flash, ".rodata.table"), 0x1002f0U);
  EXPECT_EQ(place_of(layout.data, ".data.level"), 0x28200000U);
  EXPECT_EQ(place_of(layout.bss, ".bss.count"), 0x28200008U);
  EXPECT_THAT(layout.flash, HasSubstr("\n\"/usr/lib/libc.a:memcpy.o\"(.text)\n"));
  EXPECT_THAT(layout.flash, HasSubstr("\"build/b b.o\"(.text._ZN6sensor4readEPhj)\n"));
}

TEST(Layout, WhatGrowsGoesBehindEverythingAndTheRestStays) {
  const LinkMap before{{text("one", 0x1000, 0x20), text("two", 0x1020, 0x20), text("three", 0x1040, 0x20)}};
  const LinkMap now{{text("one", 0x1000, 0x28), text("two", 0x1028, 0x20), text("three", 0x1048, 0x18)}};
  const Layout layout = make_layout(before, now);
  EXPECT_EQ(place_of(layout.flash, ".text.two"), 0x1020U);
  EXPECT_EQ(place_of(layout.flash, ".text.three"), 0x1040U);
  EXPECT_GE(place_of(layout.flash, ".text.one"), 0x1058U);
  EXPECT_EQ(layout.kept, 2U);
  EXPECT_EQ(layout.moved, 1U);
}

TEST(Layout, WhatGrowsStaysIfWhatWasBehindItIsGone) {
  const LinkMap before{{text("one", 0x1000, 0x20), text("two", 0x1020, 0x20), text("three", 0x1040, 0x20)}};
  const LinkMap now{{text("one", 0x1000, 0x28), text("three", 0x1028, 0x20)}};
  const Layout layout = make_layout(before, now);
  EXPECT_EQ(place_of(layout.flash, ".text.one"), 0x1000U);
  EXPECT_EQ(place_of(layout.flash, ".text.three"), 0x1040U);
  EXPECT_EQ(layout.moved, 0U);
}

TEST(Layout, WhatIsNewFillsGapsAsItsAlignmentAllows) {
  const LinkMap before{{text("one", 0x1000, 0x20), text("two", 0x1020, 0x24), text("three", 0x1050, 0x20)}};
  const LinkMap now{{text("one", 0x1000, 0x20), text("small", 0x1020, 0x8), text("large", 0x1030, 0x40),
                     text("three", 0x1070, 0x20)}};
  const Layout layout = make_layout(before, now);
  EXPECT_EQ(place_of(layout.flash, ".text.small"), 0x1020U);
  EXPECT_EQ(place_of(layout.flash, ".text.large"), 0x1070U);
  EXPECT_EQ(layout.added, 2U);
}

TEST(Layout, DataThatGrowsMovesOnlyWhatItRunsInto) {
  const LinkMap before{{{".data", ".data.a", "a.o", 0x2000, 0x10},
                        {".bss", ".bss.first", "a.o", 0x2010, 0x10},
                        {".bss", ".bss.second", "a.o", 0x2020, 0x20},
                        {".bss", ".bss.third", "a.o", 0x2040, 0x20}}};
  const LinkMap now{{{".data", ".data.a", "a.o", 0x2000, 0x10},
                     {".data", ".data.added", "a.o", 0x2010, 0x4},
                     {".bss", ".bss.first", "a.o", 0x2018, 0x10},
                     {".bss", ".bss.second", "a.o", 0x2028, 0x20},
                     {".bss", ".bss.third", "a.o", 0x2048, 0x20}}};
  const Layout layout = make_layout(before, now);
  EXPECT_EQ(place_of(layout.data, ".data.added"), 0x2010U) << "nothing is padded for where it lay by chance";
  EXPECT_EQ(place_of(layout.bss, ".bss.second"), 0x2020U);
  EXPECT_EQ(place_of(layout.bss, ".bss.third"), 0x2040U);
  EXPECT_GE(place_of(layout.bss, ".bss.first"), 0x2060U);
  EXPECT_EQ(layout.kept, 3U);
}

TEST(Layout, ObjectsInOtherFoldersAreTheSame) {
  const LinkMap before{{text("one", 0x1000, 0x20, "/home/a/b.o"), text("two", 0x1020, 0x20, "/home/a/c.o")}};
  const LinkMap now{{text("two", 0x1000, 0x20, "/project/c.o"), text("one", 0x1020, 0x20, "/project/b.o")}};
  const Layout layout = make_layout(before, now);
  EXPECT_EQ(place_of(layout.flash, ".text.one"), 0x1000U);
  EXPECT_EQ(place_of(layout.flash, ".text.two"), 0x1020U);
  EXPECT_THAT(layout.flash, HasSubstr("\"/project/c.o\"(.text.two)"));
}

TEST(Layout, WhatCannotBeToldApartIsLeftToTheLinker) {
  const LinkMap map{
      {text("one", 0x1000, 0x20, "x/b.o"), text("one", 0x1020, 0x20, "y/b.o"), text("two", 0x1040, 0x20)}};
  const Layout layout = make_layout(map, map);
  EXPECT_THAT(layout.flash, Not(HasSubstr("(.text.one)")));
  EXPECT_EQ(place_of(layout.flash, ".text.two"), 0x1040U);
}

}  // namespace
}  // namespace mv::bundle
