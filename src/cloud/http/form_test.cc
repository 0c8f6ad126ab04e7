#include "cloud/http/form.h"

#include <gtest/gtest.h>

namespace mv::cloud {
namespace {

TEST(Form, DecodesFieldsOnce) {
  EXPECT_EQ(parse_form("a=1&b=x+y%2B%c3%a9&&c&d="), (Fields{{"a", "1"}, {"b", "x y+\u00e9"}, {"c", ""}, {"d", ""}}));
  EXPECT_EQ(parse_form(""), Fields());
  EXPECT_EQ(parse_form("a=1=2"), (Fields{{"a", "1=2"}}));
}

TEST(Form, RefusesWhatIsNotWellFormed) {
  for (const char* text : {"a=%", "a=%4", "a=%zz", "a=%ff", "a=%00", "%ff=a", "a=1&a=2"}) {
    EXPECT_EQ(parse_form(text), std::nullopt) << text;
  }
}

TEST(Form, TakesSixtyFourFieldsAndNoMore) {
  std::string text;
  for (int i = 0; i < 64; ++i) text += "f" + std::to_string(i) + "=x&";
  ASSERT_TRUE(parse_form(text));
  EXPECT_EQ(parse_form(text)->size(), 64u);
  EXPECT_EQ(parse_form(text + "more=x"), std::nullopt);
}

TEST(Form, APlusIsASpaceInQueriesAndAPlusInPaths) {
  EXPECT_EQ(decode_percent("a+b", true), "a b");
  EXPECT_EQ(decode_percent("a+b", false), "a+b");
}

TEST(Form, WhatIsEncodedDecodesToItself) {
  const std::string text = "a b/\u00e9%+&=~";
  EXPECT_EQ(decode_percent(encode_percent(text), true), text);
  EXPECT_EQ(encode_percent("a b"), "a%20b");
}

TEST(JsonFields, ReadLikeAFormsFields) {
  const auto fields =
      parse_json_fields(R"({"unique_name": "x", "Force": true, "page_size": 5, "target_app": null, "a_b_c": ""})");
  ASSERT_TRUE(fields);
  EXPECT_EQ(*fields, (Fields{{"UniqueName", "x"}, {"Force", "true"}, {"PageSize", "5"}, {"ABC", ""}}));
}

TEST(JsonFields, RefuseWhatIsNoFlatObject) {
  for (const char* text : {"", "[]", "{", "3", "{\"a\": [1]}", "{\"a\": {}}", "{\"a\": 1.5}", "{\"a\": \"\\u0000\"}"}) {
    EXPECT_FALSE(parse_json_fields(text)) << text;
  }
}

TEST(JsonFields, RefusalNamesTheMember) {
  const auto fields = parse_json_fields("{\"unique_name\": [1]}");
  ASSERT_FALSE(fields);
  EXPECT_EQ(fields.error(), "the member 'unique_name' of the body is not a string, a whole number or a boolean");
}

}  // namespace
}  // namespace mv::cloud
