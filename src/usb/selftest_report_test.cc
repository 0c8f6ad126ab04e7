#include "usb/selftest_report.h"

#include <array>
#include <cstdio>

#include <gtest/gtest.h>

namespace mv::usb {
namespace {

// A line as the board sends it: with its check, CR and LF.
std::string line(const std::string& content) {
  std::array<char, 8> check{};
  std::snprintf(check.data(), check.size(), "%04x", crc16(content));
  return content + "\t*" + check.data() + "\r\n";
}

const std::string kStart = line("start\t1\t0.1.0\tstm32u585\t0x30010482\t0x1-0x2-0x3\tchip\t2");
const std::string kRun = kStart + line("item\t3\tB14.2 DWT\tit counts") + line("pass\t3\t\t\t") +
                         line("item\t7\tRM0456 DESIG\tthe flash has 2 MiB") +
                         line("fail\t7\t1024 KiB\t2048 KiB\tRM0456 DESIG") + line("end\t1\t1\t0");

class SelftestReportTest : public testing::Test {
 protected:
  Expected<bool> take(const std::string& text) {
    return report_.take({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }
  // What is wrong with a run that is like kRun, but for one part of it.
  Error error_with(const std::string& part, const std::string& instead) {
    std::string text = kRun;
    text.replace(text.find(part), part.size(), instead);
    const auto taken = take(text);
    EXPECT_FALSE(taken.has_value());
    return taken ? Error{} : taken.error();
  }

  SelftestReport report_{{[this](const SelftestStart& start) { start_ = start; },
                          [this](const SelftestItem& item) { begun_.push_back(item); },
                          [this](const SelftestItem& item) { ended_.push_back(item); }}};
  SelftestStart start_;
  std::vector<SelftestItem> begun_, ended_;
};

TEST(Crc16, IsTheOneOfCcitt) { EXPECT_EQ(crc16("123456789"), 0x29b1); }

TEST_F(SelftestReportTest, ARunIsToldItemByItem) {
  ASSERT_EQ(take(kRun), true);

  EXPECT_EQ(start_.version, "0.1.0");
  EXPECT_EQ(start_.unique_id, "0x1-0x2-0x3");
  EXPECT_FALSE(start_.is_model);
  ASSERT_EQ(begun_.size(), 2U);
  EXPECT_EQ(begun_[0].what, "it counts");
  ASSERT_EQ(ended_.size(), 2U);
  EXPECT_EQ(ended_[0].verdict, SelftestItem::Verdict::kPassed);
  EXPECT_EQ(ended_[1].verdict, SelftestItem::Verdict::kFailed);
  EXPECT_EQ(ended_[1].paragraph, "RM0456 DESIG");
  EXPECT_EQ(ended_[1].found, "1024 KiB");
  EXPECT_EQ(ended_[1].expected, "2048 KiB");
  EXPECT_EQ(report_.counts(), (SelftestCounts{1, 1, 0}));
}

TEST_F(SelftestReportTest, BytesMayComeOneByOne) {
  for (std::size_t at = 0; at + 1 < kRun.size(); ++at) ASSERT_EQ(take(kRun.substr(at, 1)), false);
  EXPECT_EQ(take("\n"), true);
}

TEST_F(SelftestReportTest, WhatComesBeforeTheStartIsPassedOver) {
  EXPECT_EQ(take("ot: 0x1\t*0000\r\n" + std::string(2000, 'x') + "\n" + line("item\t9\tB1\tan older run") +
                 line("ready\t1\t0.1.0") + kRun),
            true);
  EXPECT_EQ(begun_.size(), 2U);
}

TEST_F(SelftestReportTest, LinesOfOtherKindsArePassedOver) {
  std::string text = kRun;
  text.insert(kStart.size(), line("note\tsomething new"));

  EXPECT_EQ(take(text), true);
}

TEST_F(SelftestReportTest, ADamagedLineIsToldWithItsPlace) {
  const Error error = error_with("1024 KiB", "1025 KiB");

  EXPECT_EQ(error.problem, Problem::kBadReply);
  EXPECT_EQ(error.text, "a line came damaged: its check is wrong, in item 7 (RM0456 DESIG: the flash has 2 MiB)");
}

TEST_F(SelftestReportTest, ADamagedStartIsTold) {
  EXPECT_EQ(error_with("stm32u585", "stm32u58").text, "a line came damaged: its check is wrong, before the run began");
}

TEST_F(SelftestReportTest, ALineThatIsMissingIsTold) {
  EXPECT_EQ(error_with(line("pass\t3\t\t\t"), "").text, "item 7 comes out of order, in item 3 (B14.2 DWT: it counts)");
}

TEST_F(SelftestReportTest, AnItemThatIsMissingIsTold) {
  EXPECT_EQ(error_with(line("item\t3\tB14.2 DWT\tit counts") + line("pass\t3\t\t\t"), "").text,
            "lines are missing: 1 of 2 items came");
}

TEST_F(SelftestReportTest, CountsThatAreNotThoseOfTheItemsAreTold) {
  EXPECT_EQ(error_with(line("end\t1\t1\t0"), line("end\t2\t0\t0")).problem, Problem::kBadReply);
}

TEST_F(SelftestReportTest, ABoardThatBeginsAnewIsTold) {
  const Error error = error_with(line("end\t1\t1\t0"), line("ready\t1\t0.1.0"));

  EXPECT_EQ(error.problem, Problem::kGone);
  EXPECT_EQ(error.text, "the board began anew after item 7");
}

TEST_F(SelftestReportTest, AnotherFormatIsTold) {
  const auto taken = take(line("start\t2\tsomething\telse"));

  ASSERT_FALSE(taken.has_value());
  EXPECT_EQ(taken.error().problem, Problem::kBadReply);
}

TEST_F(SelftestReportTest, MoreItemsThanAnnouncedAreRefused) {
  EXPECT_EQ(error_with(line("end\t1\t1\t0"), line("item\t8\tB1\tone more")).problem, Problem::kBadReply);
}

TEST_F(SelftestReportTest, ALineWithoutEndIsRefusedBeforeItFillsTheMemory) {
  EXPECT_EQ(error_with("end", std::string(kLongestSelftestLine + 10, 'x') + "\n").text,
            "a line is longer than it may be, after item 7");
}

TEST(SelftestLine, PartsAreCounted) {
  for (const std::string content : {"start\t1", "start\t1\tv\tb\tc\tu\tchip\tmany", "start\t1\tv\tb\tc\tu\tboard\t1",
                                    "item\t1\tB1", "item\tone\tB1\tx", "pass\t1", "pass\t1\t\t\t\t", "end\t1\t2",
                                    "end\t1\t2\t99999999999", "item\t1\tB1\tx\x01"}) {
    const std::string whole = line(content);
    EXPECT_FALSE(parse_selftest_line(whole.substr(0, whole.size() - 2)).has_value()) << content;
  }
}

TEST(SelftestLine, WithoutACheckItIsRefused) {
  for (const char* text : {"", "*", "\t*12", "ready\t1\t0.1.0", "ready\t1\t0.1.0\t*zzzz", "ready\t1\t0.1.0\t*0x12"}) {
    EXPECT_FALSE(parse_selftest_line(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace mv::usb
