#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>

#include "gdbserver/target/breakpoint_ledger.h"
#include "gdbserver/target/elf_image.h"
#include "gdbserver/target/memory_cache.h"
#include "gdbserver/target/watchpoint_ledger.h"

namespace mv::gdb {
namespace {

using Bytes = std::vector<std::uint8_t>;

MemoryCache cache_of_a_device() {
  MemoryCache cache;
  cache.set_regions({{0x100000, 0x1000, MemoryKind::kFlash},
                     {0x20000000, 0x100, MemoryKind::kRam},
                     {0x40000000, 0x1000, MemoryKind::kPeripheral}});
  return cache;
}

TEST(MemoryCache, KnowsOnlyWhatWasStored) {
  auto cache = cache_of_a_device();
  cache.store(0x20000010, Bytes{1, 2, 3, 4});
  EXPECT_EQ(cache.find(0x20000011, 2), (Bytes{2, 3}));
  EXPECT_FALSE(cache.find(0x20000011, 4));
}

TEST(MemoryCache, ForgetsRamAndKeepsFlash) {
  auto cache = cache_of_a_device();
  cache.store(0x20000000, Bytes(4));
  cache.store(0x100000, Bytes(4));
  cache.forget_ram();
  EXPECT_FALSE(cache.find(0x20000000, 4));
  EXPECT_TRUE(cache.find(0x100000, 4));
}

TEST(MemoryCache, NeverKeepsPeripherals) {
  auto cache = cache_of_a_device();
  EXPECT_FALSE(cache.cacheable(0x40000000, 4));
  cache.store(0x40000000, Bytes(4));
  EXPECT_FALSE(cache.find(0x40000000, 4));
}

TEST(MemoryCache, AsksForWholeLinesWithinTheRegion) {
  auto cache = cache_of_a_device();
  EXPECT_EQ(cache.missing(0x20000044, 4, 0), (std::vector<MemoryCache::Span>{{0x20000040, 64}}));
  EXPECT_EQ(cache.missing(0x20000044, 4, 64), (std::vector<MemoryCache::Span>{{0x20000040, 128}}));
  EXPECT_EQ(cache.missing(0x200000fc, 4, 256), (std::vector<MemoryCache::Span>{{0x200000c0, 64}}));
}

TEST(MemoryCache, AsksForNothingThatIsKnown) {
  auto cache = cache_of_a_device();
  cache.store(0x20000040, Bytes(64));
  EXPECT_TRUE(cache.missing(0x20000044, 4, 256).empty());
  EXPECT_EQ(cache.missing(0x20000000, 0x90, 0), (std::vector<MemoryCache::Span>{{0x20000000, 64}, {0x20000080, 64}}));
}

TEST(MemoryCache, RefusesRangesThatLeaveTheirRegion) {
  auto cache = cache_of_a_device();
  EXPECT_FALSE(cache.cacheable(0x200000fe, 4));
  EXPECT_FALSE(cache.cacheable(0x20000000, 0xffffffff));
  EXPECT_FALSE(cache.cacheable(0x0, 4));
}

TEST(BreakpointLedger, SendsNothingForARemovalAndInsertionOfTheSame) {
  BreakpointLedger ledger;
  ledger.set_capacity(2);
  ASSERT_TRUE(ledger.insert(0x10, {}));
  const auto first = ledger.changes();
  EXPECT_EQ(first.insert, std::vector<std::uint32_t>{0x10});
  ledger.applied(first);
  ledger.remove(0x10);
  ASSERT_TRUE(ledger.insert(0x10, {}));
  EXPECT_TRUE(ledger.changes().insert.empty());
  EXPECT_TRUE(ledger.changes().remove.empty());
}

TEST(BreakpointLedger, SendsEverythingAgainToADeviceThatForgot) {
  BreakpointLedger ledger;
  ledger.set_capacity(2);
  ASSERT_TRUE(ledger.insert(0x10, {}));
  ledger.applied(ledger.changes());
  ledger.device_lost_all();
  EXPECT_EQ(ledger.changes().insert, std::vector<std::uint32_t>{0x10});
}

constexpr std::uint32_t kRamStart = 0x20000000;
const std::vector<Region> kRam = {{kRamStart, 0x1000, MemoryKind::kRam}, {0x100000, 0x1000, MemoryKind::kFlash}};

TEST(WatchpointLedger, SendsTheDifferenceAndRemembersWhatIsOfInterest) {
  WatchpointLedger ledger;
  ledger.set_limits(2, 16);
  const Watchpoint watch{kRamStart, 4, WatchKind::kWrite};
  EXPECT_TRUE(ledger.insert(watch, kRam));
  EXPECT_EQ(ledger.changes().insert, std::vector{watch});
  ledger.applied(ledger.changes());
  ledger.remove(watch);
  EXPECT_EQ(ledger.changes().remove, std::vector{watch});
  EXPECT_EQ(ledger.of_interest(), std::vector{watch});  // GDB steps without it, and looks at it then
  EXPECT_TRUE(ledger.insert(watch, kRam));
  EXPECT_TRUE(ledger.changes().insert.empty());
  ledger.device_lost_all();
  EXPECT_EQ(ledger.changes().insert, std::vector{watch});
}

TEST(WatchpointLedger, RefusesWhatTheDeviceCannotWatch) {
  WatchpointLedger ledger;
  EXPECT_EQ(ledger.insert({kRamStart, 4, WatchKind::kWrite}, kRam).error().code, ErrorCode::kUnsupported);
  ledger.set_limits(2, 16);
  EXPECT_EQ(ledger.insert({kRamStart, 17, WatchKind::kWrite}, kRam).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(ledger.insert({kRamStart, 0, WatchKind::kWrite}, kRam).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(ledger.insert({0x100000, 4, WatchKind::kWrite}, kRam).error().code, ErrorCode::kBadAddress);
  EXPECT_EQ(ledger.insert({kRamStart + 0xFFE, 4, WatchKind::kWrite}, kRam).error().code, ErrorCode::kBadAddress);
  EXPECT_TRUE(ledger.insert({kRamStart, 4, WatchKind::kWrite}, kRam));
  EXPECT_TRUE(ledger.insert({kRamStart, 4, WatchKind::kRead}, kRam));
  EXPECT_EQ(ledger.insert({kRamStart, 4, WatchKind::kAccess}, kRam).error().code, ErrorCode::kNoBreakpointFree);
}

// GDB's `watch *pointer` with a null pointer, which must not fail: the pointer gets a value later.
TEST(WatchpointLedger, TakesARangeWhereTheApplicationHasNothingAndAsksTheDeviceForNone) {
  WatchpointLedger ledger;
  ledger.set_limits(1, 16);
  EXPECT_TRUE(ledger.insert({0, 4, WatchKind::kWrite}, kRam));
  EXPECT_EQ(ledger.wanted(), 0U);
  EXPECT_TRUE(ledger.insert({kRamStart, 4, WatchKind::kWrite}, kRam));
  for (const std::uint32_t taken : {0xFFFFEU, 0x40000000U, 0xE000ED00U}) {
    EXPECT_EQ(ledger.insert({taken, 4, WatchKind::kWrite}, kRam).error().code, ErrorCode::kBadAddress) << taken;
  }
}

TEST(BreakpointLedger, RefusesOneTooMany) {
  BreakpointLedger ledger;
  ledger.set_capacity(1);
  ASSERT_TRUE(ledger.insert(0x10, {}));
  EXPECT_TRUE(ledger.insert(0x10, {}));
  EXPECT_EQ(ledger.insert(0x20, {}).error().code, ErrorCode::kNoBreakpointFree);
}

TEST(BreakpointLedger, SendsAProgramOnceAndAgainWhenItChanges) {
  const BreakpointProgram first{{{0x22, 0, 0x27}}, {}}, second{{}, {{0x27}}};
  BreakpointLedger ledger;
  ledger.set_capacity(2);
  ledger.set_program_limits({4, 100});
  ASSERT_TRUE(ledger.insert(0x10, first));
  EXPECT_EQ(ledger.changes().programs, (BreakpointLedger::Programs{{0x10, first}}));
  ledger.applied(ledger.changes());
  ledger.remove(0x10);
  ASSERT_TRUE(ledger.insert(0x10, first));
  EXPECT_TRUE(ledger.changes().programs.empty());
  ASSERT_TRUE(ledger.insert(0x10, second));
  EXPECT_TRUE(ledger.changes().insert.empty());
  EXPECT_EQ(ledger.changes().programs, (BreakpointLedger::Programs{{0x10, second}}));
  ledger.applied(ledger.changes());
  ASSERT_TRUE(ledger.insert(0x10, {}));
  EXPECT_EQ(ledger.changes().programs, (BreakpointLedger::Programs{{0x10, {}}}));
}

TEST(BreakpointLedger, SendsAProgramAgainWithABreakpointThatWasAway) {
  const BreakpointProgram program{{{0x27}}, {}};
  BreakpointLedger ledger;
  ledger.set_capacity(2);
  ledger.set_program_limits({4, 100});
  ASSERT_TRUE(ledger.insert(0x10, program));
  ledger.applied(ledger.changes());
  ledger.remove(0x10);
  ledger.applied(ledger.changes());
  ASSERT_TRUE(ledger.insert(0x10, program));
  EXPECT_EQ(ledger.changes().programs.size(), 1U);
  ledger.applied(ledger.changes());
  ledger.device_lost_all();
  EXPECT_EQ(ledger.changes().programs.size(), 1U);
}

TEST(BreakpointLedger, LeavesOutConditionsThatDoNotFitAndRefusesCommands) {
  BreakpointLedger ledger;
  ledger.set_capacity(4);
  ledger.set_program_limits({2, 8});
  ASSERT_TRUE(ledger.insert(0x10, {{{0x22, 0, 0x27}}, {}}));
  EXPECT_TRUE(ledger.insert(0x20, {{Bytes(6)}, {}}));
  EXPECT_EQ(ledger.changes().programs.size(), 1U);
  EXPECT_EQ(ledger.insert(0x30, {{}, {Bytes(6)}}).error().code, ErrorCode::kNoBreakpointFree);
  EXPECT_TRUE(ledger.insert(0x10, {{}, {Bytes(8)}}));  // in place of what was there
  EXPECT_EQ(ledger.programs_wanted().bytes, 8U);
}

TEST(ElfImage, RefusesWhatIsNoElfOrIsCutShort) {
  EXPECT_FALSE(parse_elf_image({}));
  Bytes header(52);
  const Bytes magic = {0x7f, 'E', 'L', 'F', 1, 1, 1};
  std::copy(magic.begin(), magic.end(), header.begin());
  header[18] = 40;  // ARM
  header[42] = 32;  // size of a program header
  EXPECT_TRUE(parse_elf_image(header));
  header[44] = 1;  // one program header, which is not there
  header[28] = 52;
  EXPECT_FALSE(parse_elf_image(header));
  header[28] = header[29] = header[30] = header[31] = 0xff;
  EXPECT_FALSE(parse_elf_image(header));
}

// A header with `count` section headers behind it, each of which names the whole file.
Bytes elf_with_sections(std::uint16_t count) {
  Elf32_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS32;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_machine = EM_ARM;
  header.e_version = EV_CURRENT;
  header.e_shoff = sizeof header;
  header.e_shentsize = sizeof(Elf32_Shdr);
  header.e_shnum = static_cast<std::uint16_t>(count + 1);  // the first one is always empty
  Bytes file(sizeof header + header.e_shnum * sizeof(Elf32_Shdr));
  std::memcpy(file.data(), &header, sizeof header);
  for (std::size_t i = 1; i <= count; ++i) {
    Elf32_Shdr section{};
    section.sh_type = SHT_PROGBITS;
    section.sh_flags = SHF_ALLOC;
    section.sh_addr = 0x100000;
    section.sh_size = static_cast<std::uint32_t>(file.size());
    std::memcpy(file.data() + sizeof header + i * sizeof section, &section, sizeof section);
  }
  return file;
}

TEST(ElfImage, TakesReadOnlySections) {
  const auto image = parse_elf_image(elf_with_sections(1));
  ASSERT_TRUE(image.has_value()) << image.error().text;
  ASSERT_EQ(image->read_only.size(), 1U);
  EXPECT_EQ(image->read_only[0].address, 0x100000U);
  EXPECT_EQ(image->read_only[0].bytes, elf_with_sections(1));
}

TEST(ElfImage, RefusesAFileThatNamesItsBytesAgainAndAgain) {
  EXPECT_FALSE(parse_elf_image(elf_with_sections(255))) << "a small file must not take much memory";
}

}  // namespace
}  // namespace mv::gdb
