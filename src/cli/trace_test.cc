// The parts of `mvctl trace` that need neither GDB nor a device.
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/expression_text.h"
#include "cli/gdb_machine.h"
#include "cli/trace_printer.h"

namespace mv::cli {
namespace {

using testing::ElementsAre;

TEST(Expressions, AreCutAtCommasOutsideOfBracketsAndQuotes) {
  EXPECT_THAT(split_expressions("raw, (float)temp/10"), ElementsAre("raw", "(float)temp/10"));
  EXPECT_THAT(split_expressions("f(a, b)[1,2], x"), ElementsAre("f(a, b)[1,2]", "x"));
  EXPECT_THAT(split_expressions("c == ',' , \"a,\\\"b\""), ElementsAre("c == ','", "\"a,\\\"b\""));
  EXPECT_THAT(split_expressions("a,,b"), ElementsAre("a", "", "b"));
  EXPECT_THAT(split_expressions(""), ElementsAre(""));
}

TEST(Expressions, AreCutIntoTokens) {
  const std::string text = "p->x.y*1.5";
  std::string joined;
  for (const Token& token : tokens_of(text)) joined += text.substr(token.start, token.end - token.start) + " ";
  EXPECT_EQ(joined, "p - > x.y * 1.5 ");
  EXPECT_FALSE(tokens_of("1.5")[0].is_word);
  EXPECT_TRUE(tokens_of("1.5")[0].closes);
  EXPECT_TRUE(tokens_of("'a")[0].closes);
}

TEST(Expressions, HaveTheirBracketsInPairs) {
  for (const char* whole : {"a", "(float)a", "f(a[1])", "')'"}) EXPECT_TRUE(is_balanced(whole)) << whole;
  for (const char* part : {"float)a", "(float", "a]", ")(", "(a"}) EXPECT_FALSE(is_balanced(part)) << part;
}

TEST(Expressions, AreToldFromStatementsThatChangeSomething) {
  for (const char* reads : {"a == b", "a != b", "a <= b", "a >= b", "a << b", "p->x", "a - -b", "a + +b", "x"})
    EXPECT_FALSE(changes_something(reads)) << reads;
  for (const char* writes : {"a = b", "a=b", "a += b", "a <<= b", "a >>= b", "a++", "--a", "a |= 1", "a==(b=c)"})
    EXPECT_TRUE(changes_something(writes)) << writes;
}

TEST(Values, OfScalarsAreNumbersInJson) {
  EXPECT_EQ(json_value("42"), 42);
  EXPECT_EQ(json_value("-42"), -42);
  EXPECT_EQ(json_value("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(json_value("21.5"), 21.5);
  EXPECT_EQ(json_value("1e-05"), 1e-05);
  EXPECT_EQ(json_value("200 '\\310'"), 200);
  EXPECT_EQ(json_value("-3 '\\375'"), -3);
  EXPECT_EQ(json_value("39 '\\''"), 39);
  EXPECT_EQ(json_value("true"), true);
}

TEST(Values, OfAllElseAreGdbsText) {
  for (const char* text : {"{x = 1}", "0x28200000 <origin>", "RED", "\"porch\"", "nan(0x400000)", "inf", "(A | B)", ""})
    EXPECT_EQ(json_value(text), text) << text;
}

TEST(MachineInterface, StringsAreQuotedAndReadBack) {
  const std::string text = "a \"b\" \\ c";
  EXPECT_EQ(mi_quoted(text), "\"a \\\"b\\\" \\\\ c\"");
  EXPECT_EQ(mi_string(mi_quoted(text)), text);
  EXPECT_EQ(mi_string("\"line\\n\\303\\244\\t\" more"), "line\n\xC3\xA4\t");
  EXPECT_EQ(mi_string("word"), std::nullopt);
  EXPECT_EQ(mi_string("\"open"), "open");
}

TEST(MachineInterface, FieldsAreFoundByTheirWholeNameAndNotInStrings) {
  const std::string results =
      R"(bkpt={number="1",addr="<MULTIPLE>",text="line=\"7\"",locations=[{line="88",baseline="9"},)"
      R"({number="1.2",line="90"}]})";
  EXPECT_THAT(mi_fields(results, "line"), ElementsAre("88", "90"));
  EXPECT_THAT(mi_fields(results, "addr"), ElementsAre("<MULTIPLE>"));
  EXPECT_THAT(mi_fields("msg=\"No symbol \\\"x\\\".\"", "msg"), ElementsAre("No symbol \"x\"."));
  EXPECT_THAT(mi_fields("value=\"unended", "value"), ElementsAre("unended"));
}

}  // namespace
}  // namespace mv::cli
