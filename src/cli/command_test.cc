#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/completion_script.h"
#include "cli/confirm.h"
#include "cli/help.h"
#include "cli/man_page.h"
#include "cli/output.h"
#include "cli/parser.h"

namespace mv::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

// A tree with one of everything.
class Parsing : public ::testing::Test {
 protected:
  Parsing() {
    root_.option("--output", "FORMAT", &format_, "format").choices({"text", "json"});
    root_.flag("--quiet,-q", quiet_, "silence");
    Command& device = root_.add("device", "devices");
    Command& show = device.add("show", "show one");
    show.argument("DEVICE", &device_, "which").complete(Completion::kDevice);
    show.option("--timeout", "TIME", &timeout_, "how long");
    show.option("--port", "N", &port_, "port");
    show.option("--tag,-t", "TAG", &tags_, "tags");
    show.example("tool device show porch", "it's the porch's \\ state");
    show.run([] { return Result(); });
    Command& remove = device.add("remove", "remove some");
    remove.argument("DEVICE", &devices_, "which");
    device.add("secret", "not shown").hidden();
  }

  tl::expected<Parsed, Failure> parse_words(const std::vector<std::string>& words) { return parse(root_, words); }
  std::string failure(const std::vector<std::string>& words) {
    const auto parsed = parse_words(words);
    EXPECT_FALSE(parsed);
    if (parsed) return {};
    EXPECT_EQ(parsed.error().code, ExitCode::kUsage);
    return parsed.error().message + "\n" + parsed.error().hint;
  }

  Command root_{"tool", "a tool"};
  std::string format_;
  bool quiet_ = false;
  std::string device_;
  std::chrono::milliseconds timeout_{};
  std::optional<std::uint32_t> port_;
  std::vector<std::string> tags_;
  std::vector<std::string> devices_;
};

TEST_F(Parsing, GlobalOptionsStandBeforeOrBehindTheVerb) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"-q", "--output", "json", "device", "show", "porch"},
        {"device", "show", "porch", "--output=json", "-q"},
        {"device", "-q", "show", "--output", "json", "porch"}}) {
    quiet_ = false;
    format_.clear();
    const auto parsed = parse_words(words);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->command->path(), "tool device show");
    EXPECT_TRUE(quiet_);
    EXPECT_EQ(format_, "json");
    EXPECT_EQ(device_, "porch");
  }
}

TEST_F(Parsing, ValuesAreStoredByTheirKind) {
  ASSERT_TRUE(parse_words({"device", "show", "porch", "--timeout", "15m", "--port", "8001", "-t", "a", "-t", "b"}));
  EXPECT_EQ(timeout_, 15min);
  EXPECT_EQ(port_, 8001u);
  EXPECT_EQ(tags_, (std::vector<std::string>{"a", "b"}));
}

TEST_F(Parsing, AnArgumentMayHaveACommandsName) {
  ASSERT_TRUE(parse_words({"device", "show", "device"}));
  EXPECT_EQ(device_, "device");
  ASSERT_TRUE(parse_words({"device", "remove", "show", "device"}));
  EXPECT_EQ(devices_, (std::vector<std::string>{"show", "device"}));
}

TEST_F(Parsing, MistakesAreSentencesWithTheWayOut) {
  EXPECT_EQ(failure({"devcie"}), "tool has no command devcie\ndid you mean device? otherwise see tool --help");
  EXPECT_EQ(failure({"device", "shwo"}),
            "tool device has no command shwo\ndid you mean show? otherwise see tool device --help");
  EXPECT_THAT(failure({"device", "show", "x", "--prot", "1"}),
              HasSubstr("tool device show has no option --prot\ndid you mean --port?"));
  EXPECT_THAT(failure({"device", "show"}), HasSubstr("tool device show needs DEVICE: which"));
  EXPECT_THAT(failure({"device", "show", "a", "b"}), HasSubstr("does not expect 'b'"));
  EXPECT_THAT(failure({"device", "show", "a", "--port", "70000000000"}),
              HasSubstr("--port: '70000000000' is out of range"));
  EXPECT_THAT(failure({"device", "show", "a", "--port", "-1"}), HasSubstr("--port: '-1' is not a number"));
  EXPECT_THAT(failure({"device", "show", "a", "--timeout", "soon"}), HasSubstr("'soon' is not a duration"));
  EXPECT_THAT(failure({"--output", "xml", "device", "show", "a"}), HasSubstr("'xml' is not one of text, json"));
}

TEST_F(Parsing, HelpIsOfTheDeepestCommandNamed) {
  const auto parsed = parse_words({"device", "show", "--help"});
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->help);
  EXPECT_EQ(parsed->command->path(), "tool device show");
}

TEST_F(Parsing, AGroupAloneSaysWhatItHas) {
  EXPECT_EQ(missing_verb(*root_.find("device")).error().message, "tool device needs a command: show, remove");
}

TEST_F(Parsing, HelpShowsUsageGlobalOptionsAndExamples) {
  const auto text = help_text(*root_.find("device")->find("show"));
  EXPECT_THAT(text, HasSubstr("Usage: tool device show [OPTIONS] DEVICE"));
  EXPECT_THAT(text, HasSubstr("Options of every command:"));
  EXPECT_THAT(text, HasSubstr("Examples:\n  tool device show porch"));
  EXPECT_THAT(help_text(*root_.find("device")), Not(HasSubstr("secret")));
}

TEST_F(Parsing, CompletionsOfferCommandsOptionsAndNames) {
  EXPECT_THAT(bash_completion(root_), HasSubstr("'tool device') subcommands='show remove'"));
  EXPECT_THAT(bash_completion(root_), HasSubstr("arguments='@devices'"));
  EXPECT_THAT(bash_completion(root_), HasSubstr("'tool device show --output') values='text json'"));
  EXPECT_THAT(fish_completion(root_), HasSubstr("-l tag -s t"));
  EXPECT_THAT(bash_completion(root_), Not(HasSubstr("secret")));
}

TEST_F(Parsing, ManPagesEscapeWhatRoffWouldTake) {
  const auto page = man_page(*root_.find("device")->find("show"));
  EXPECT_THAT(page, HasSubstr(".TH \"TOOL\\-DEVICE\\-SHOW\" 1"));
  EXPECT_THAT(page, HasSubstr("it's the porch's \\e state"));
}

TEST(Duration, IsANumberAndAUnit) {
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("90"), 90s);
  EXPECT_EQ(parse_duration("1.5h"), 90min);
  EXPECT_EQ(parse_duration("7d"), 168h);
  for (const char* bad : {"", "h", "-1s", "1w", "nan", "inf", "1e30s", "5 s", "1000000d"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

class Printing : public ::testing::Test {
 protected:
  std::ostringstream out_;
  std::ostringstream err_;
  Output output_{Terminal{&out_, &err_}};
};

TEST_F(Printing, AFailureIsASentenceAndAHintOrJson) {
  const Failure failure{ExitCode::kNotFound, "no device is called porch", "see mvctl devices"};
  output_.failure(failure);
  EXPECT_EQ(err_.str(), "no device is called porch\n  see mvctl devices\n");
  output_.set_format(Format::kJson);
  output_.failure(failure);
  const auto json = nlohmann::json::parse(out_.str());
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["error"]["code"], 4);
  EXPECT_EQ(json["error"]["hint"], "see mvctl devices");
}

TEST_F(Printing, AStreamIsOneObjectALineAndBrokenUtf8IsReplaced) {
  output_.set_format(Format::kJson);
  output_.record({{"text", "a\xC3("}}, "");
  output_.record({{"text", "b"}}, "");
  std::istringstream lines(out_.str());
  std::string line;
  int count = 0;
  for (; std::getline(lines, line); ++count) EXPECT_EQ(nlohmann::json::parse(line)["schema"], 1);
  EXPECT_EQ(count, 2);
}

TEST_F(Printing, QuietAndJsonSayNothingButTheResult) {
  output_.set_quiet(true);
  output_.step("build", "x");
  output_.note("y");
  { Progress progress(output_, "load", 10); }
  EXPECT_EQ(err_.str(), "");
}

TEST_F(Printing, ProgressIsPlainLinesWithoutATerminal) {
  Progress progress(output_, "staging", 100);
  progress.update(50, "1 KiB/s");
  progress.finish("done");
  EXPECT_EQ(err_.str(), "staging   done\n");
}

TEST_F(Printing, ATableCountsCharactersNotBytes) {
  Table table({"NAME", "X"});
  table.row({"küche", "1"});
  table.row({"porch", "2"});
  EXPECT_EQ(table.text(output_), "NAME   X\nküche  1\nporch  2\n");
}

// What `confirm` makes of an answer, at a terminal.
Result answer(const std::string& typed, std::ostringstream& asked) {
  std::istringstream in(typed);
  Terminal terminal{nullptr, &asked};
  terminal.in = &in;
  terminal.in_is_terminal = terminal.err_is_terminal = true;
  return confirm(terminal, "delete porch?");
}

TEST(Confirm, TakesOnlyYesForYes) {
  std::ostringstream asked;
  for (const char* yes : {"y\n", "Y\n", "yes\n"}) EXPECT_TRUE(answer(yes, asked)) << yes;
  for (const char* no : {"n\n", "\n", "", "yess\n"}) EXPECT_EQ(answer(no, asked).error().code, ExitCode::kFailed) << no;
  EXPECT_EQ(asked.str().find("delete porch? [y/N] "), 0u);
}

TEST(Confirm, AsksNobodyWithoutATerminal) {
  std::istringstream in("y\n");
  std::ostringstream asked;
  Terminal terminal{nullptr, &asked};
  terminal.in = &in;
  EXPECT_EQ(confirm(terminal, "delete porch?").error().code, ExitCode::kUsage);
  EXPECT_EQ(asked.str(), "");
}

TEST(Printable, WhatADeviceSaysCannotDriveTheTerminal) {
  EXPECT_EQ(printable("a\x1b[31mb"), "a\xEF\xBF\xBD[31mb");
  EXPECT_EQ(printable("k\xC3\xBC"), "k\xC3\xBC");
  EXPECT_EQ(printable("\xC3("), "\xEF\xBF\xBD(");
  EXPECT_EQ(printable("\xC2\x9B"), "\xEF\xBF\xBD");
  EXPECT_EQ(printable("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

}  // namespace
}  // namespace mv::cli
