#include "emulator/at_command.h"

#include <gtest/gtest.h>

namespace mv::emulator {
namespace {

TEST(AtCommand, ReadsAWriteCommandWithNumbersAndStrings) {
  const auto command = AtCommand::parse("AT+QIOPEN=1,0,\"TCP\",\"cloud.example\",8443,0,1");
  ASSERT_TRUE(command.has_value());
  EXPECT_EQ(command->name, "+QIOPEN");
  EXPECT_EQ(command->kind, AtCommand::Kind::kWrite);
  EXPECT_EQ(command->text(3), "cloud.example");
  EXPECT_EQ(command->number(4, 0), 8443);
  EXPECT_EQ(command->number(6, -1), 1);
}

TEST(AtCommand, TellsTheKindsApart) {
  EXPECT_EQ(AtCommand::parse("at+csq")->name, "+CSQ");
  EXPECT_EQ(AtCommand::parse("AT+CSQ")->kind, AtCommand::Kind::kExecute);
  EXPECT_EQ(AtCommand::parse("AT+CEREG?")->kind, AtCommand::Kind::kRead);
  EXPECT_EQ(AtCommand::parse("AT+CEREG=?")->kind, AtCommand::Kind::kTest);
  EXPECT_EQ(AtCommand::parse("AT")->name, "");
}

TEST(AtCommand, TakesAnArgumentLeftOutAsZero) {
  const auto command = AtCommand::parse("AT+QICSGP=1,,\"apn\"");
  ASSERT_TRUE(command.has_value());
  EXPECT_EQ(command->number(1, 7), 0);
  EXPECT_EQ(command->text(2), "apn");
  EXPECT_EQ(command->number(5, 7), 7);
}

TEST(AtCommand, ReadsStringsWithBackslashes) {
  const auto command = AtCommand::parse("AT+CWJAP=\"a\\,b\\\"c\\\\\",\"x\\y\",,,0", AtQuoting::kBackslash);
  ASSERT_TRUE(command.has_value());
  EXPECT_EQ(command->text(0), "a,b\"c\\");
  EXPECT_EQ(command->text(1), "xy");
  EXPECT_EQ(command->number(4, 7), 0);
  EXPECT_EQ(AtCommand::parse("AT+X=\"open\\\"", AtQuoting::kBackslash).error(), AtError::kOpenQuote);
  EXPECT_EQ(AtCommand::parse("AT+X=\"a\\\"")->text(0), "a\\");
}

TEST(AtCommand, RefusesWhatIsNotACommand) {
  EXPECT_EQ(AtCommand::parse("").error(), AtError::kNotACommand);
  EXPECT_EQ(AtCommand::parse("RDY").error(), AtError::kNotACommand);
  EXPECT_EQ(AtCommand::parse("AT+X=\"open").error(), AtError::kOpenQuote);
  EXPECT_EQ(AtCommand::parse("AT+X=1x").error(), AtError::kBadArgument);
  EXPECT_EQ(AtCommand::parse("AT+X=\"a\"b").error(), AtError::kBadArgument);
  EXPECT_EQ(AtCommand::parse("AT+X=99999999999999999999").error(), AtError::kBadArgument);
  EXPECT_EQ(AtCommand::parse("AT+X=1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1").error(), AtError::kTooManyArguments);
}

}  // namespace
}  // namespace mv::emulator
