#include "cli/cloud_client.h"

#include <gtest/gtest.h>

#include "cli/log_printer.h"

namespace mv::cli {
namespace {

TEST(Refusal, TakesTheCloudsOwnSentence) {
  const Failure failure = refusal(404, R"({"code": 20404, "message": "there is no device porch", "status": 404})");
  EXPECT_EQ(failure.code, ExitCode::kNotFound);
  EXPECT_EQ(failure.message, "there is no device porch");
  EXPECT_EQ(failure.hint, "see mvctl devices");
}

TEST(Refusal, SurvivesAnAnswerThatIsNotJson) {
  EXPECT_EQ(refusal(500, "<html>").message, "the cloud answered with HTTP status 500");
  EXPECT_EQ(refusal(500, R"({"message": 7})").message, "the cloud answered with HTTP status 500");
}

TEST(Refusal, TellsAnOfflineDeviceFromACloudThatCannotWork) {
  EXPECT_EQ(refusal(503, R"({"message": "the device is offline"})").code, ExitCode::kDeviceOffline);
  EXPECT_EQ(refusal(503, R"({"message": "the disk is full"})").code, ExitCode::kCloudUnreachable);
  EXPECT_EQ(refusal(401, "").code, ExitCode::kNotAuthorised);
}

TEST(HttpOptions, UseBasicWithAnAccountAndBearerWithout) {
  Context context;
  context.cloud = "https://cloud:8443/mv";
  context.token = "secret";
  EXPECT_EQ(http_options(context)->authorization, "Bearer secret");
  context.account_sid = "AC01";
  EXPECT_EQ(http_options(context)->authorization, "Basic QUMwMTpzZWNyZXQ=");
  EXPECT_EQ(cloud_target(context, "/Apps"), "/mv/v1/Apps");
  context.cloud = "ftp://cloud";
  EXPECT_EQ(http_options(context).error().code, ExitCode::kUsage);
}

TEST(LogLine, CannotDriveTheTerminal) {
  const std::string line = log_line({{"uptime_us", 1500000U}, {"text", "a\x1b[2Jb"}, {"source", "application"}});
  EXPECT_TRUE(line.starts_with("+1.500 s  a"));
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
}

TEST(LogLine, NamesTheMicrovisorAndKeepsMilliseconds) {
  const std::string line =
      log_line({{"time", "2026-01-31T12:00:01.204Z"}, {"text", "link up"}, {"source", "microvisor"}});
  EXPECT_NE(line.find(":01.204  [microvisor] link up"), std::string::npos);
}

}  // namespace
}  // namespace mv::cli
