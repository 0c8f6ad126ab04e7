#include "cli/crash_report.h"

#include <gtest/gtest.h>

namespace mv::cli {
namespace {

using nlohmann::ordered_json;

// Registers hold 16, 17, ...; the stack is 01 02 03.
ordered_json make_document() {
  ordered_json registers;
  std::uint32_t value = 16;
  for (const char* name :
       {"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "sp", "lr", "pc", "xpsr"})
    registers[name] = value++;
  return {{"id", 9},
          {"number", 3},
          {"date_received", "2026-01-02T03:04:05Z"},
          {"uptime_us", 1500000},
          {"manifest_hash", "sha256:00"},
          {"reason", "bus fault"},
          {"registers", registers},
          {"faults", {{"cfsr", 33280}, {"hfsr", 0}, {"mmfar", 0}, {"bfar", 1610612736}, {"sfsr", 0}, {"sfar", 0}}},
          {"stack_address", 674430720},
          {"stack", "AQID"}};
}

// As it comes over the wire.
auto parse(const ordered_json& document) { return parse_crash_report(ordered_json::parse(document.dump())); }

TEST(CrashReport, TakesWhatTheCloudSays) {
  const auto report = parse(make_document());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->id, 9u);
  EXPECT_EQ(report->crash.registers.core[gdb::arm::kPc], 31u);
  EXPECT_TRUE(report->crash.registers.core_valid);
  EXPECT_FALSE(report->crash.registers.has_system);
  EXPECT_EQ(report->crash.fault.bfar, 0x60000000u);
  ASSERT_EQ(report->crash.memory.size(), 1u);
  EXPECT_EQ(report->crash.memory[0].address, 674430720u);
  EXPECT_EQ(report->crash.memory[0].bytes, (std::vector<std::uint8_t>{1, 2, 3}));
}

TEST(CrashReport, TellsWhatTheInstructionDidIfTheCloudKnows) {
  auto document = make_document();
  EXPECT_EQ(describe_crash(parse(document)->crash), "bus fault: access to 0x60000000, precise") << "an older record";
  document["faults"]["access"] = nullptr;
  EXPECT_FALSE(parse(document)->crash.fault.access.known());
  document["faults"]["access"] = {{"address", 1610612736}, {"size", 4}, {"write", true}};
  EXPECT_EQ(describe_crash(parse(document)->crash), "bus fault: write to 0x60000000, precise");
  document["faults"]["access"] = {{"address", -1}, {"size", 4}, {"write", true}};
  EXPECT_FALSE(parse(document)->crash.fault.access.known());
}

TEST(CrashReport, KnowsThatOnlyTheStackPointerIsLeftWhereNoFrameWasStored) {
  auto document = make_document();
  for (const char* name : {"lr", "pc", "xpsr"}) document["registers"][name] = 0;
  EXPECT_FALSE(parse(document)->crash.registers.core_valid);
  document["registers"]["lr"] = 1;  // a call of address 0
  EXPECT_TRUE(parse(document)->crash.registers.core_valid);
}

TEST(CrashReport, TakesTheSystemRegistersAndTheRamThatTheBundleNamed) {
  auto document = make_document();
  document["system"] = {{"msp", 1},       {"psp", 2},     {"primask", 3}, {"basepri", 4},
                        {"faultmask", 5}, {"control", 6}, {"msplim", 7},  {"psplim", 8}};
  document["memory"] = {{{"address", 674234368}, {"data", "BAU="}}};
  const auto report = parse(document);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->crash.registers.has_system);
  EXPECT_EQ(report->crash.registers.system[7], 8u);
  ASSERT_EQ(report->crash.memory.size(), 2u);
  EXPECT_EQ(report->crash.stack_pieces, 1u);
  EXPECT_EQ(report->crash.memory[1].bytes, (std::vector<std::uint8_t>{4, 5}));
}

TEST(CrashReport, MayHaveNoStack) {
  auto document = make_document();
  document["stack"] = "";
  EXPECT_TRUE(parse(document)->crash.memory.empty());
}

TEST(CrashReport, RefusesWhatItCannotRead) {
  const auto refused = [](const char* pointer, const ordered_json& value) {
    auto document = make_document();
    document[ordered_json::json_pointer(pointer)] = value;
    return !parse(document);
  };
  EXPECT_TRUE(refused("/id", "9"));
  EXPECT_TRUE(refused("/system", {{"msp", 1}}));
  EXPECT_TRUE(refused("/memory", 1));
  EXPECT_TRUE(refused("/memory", ordered_json::array({{{"address", 4294967295}, {"data", "AQID"}}})));
  EXPECT_TRUE(refused("/id", -1));
  EXPECT_TRUE(refused("/number", 4294967296));
  EXPECT_TRUE(refused("/registers", nullptr));
  EXPECT_TRUE(refused("/registers/r7", 4294967296));
  EXPECT_TRUE(refused("/faults/sfar", "0"));
  EXPECT_TRUE(refused("/stack", "not base64"));
  EXPECT_TRUE(refused("/stack_address", 4294967294)) << "three bytes do not fit there";
  EXPECT_FALSE(refused("/stack_address", 4294967293));
  EXPECT_FALSE(parse("text"));
  EXPECT_FALSE(parse(nullptr));
  EXPECT_FALSE(parse(ordered_json::array()));
}

}  // namespace
}  // namespace mv::cli
