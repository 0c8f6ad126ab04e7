#include "core/link/module_notice.h"

#include <string>

#include <gtest/gtest.h>

namespace mv::link {
namespace {

NoticeSuffix find(std::string_view text) {
  return find_notices({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

TEST(ModuleNotice, IsFoundAtTheEndOfData) {
  const NoticeSuffix found = find("data\x17\x03\x03 CLOSED\r\n");
  EXPECT_EQ(found.first, "CLOSED");
  EXPECT_EQ(found.size, 8U);
}

TEST(ModuleNotice, MayBeSeveral) {
  const NoticeSuffix found = find("\x80WIFI DISCONNECT\r\n\r\nCLOSED\r\nWIFI CON");
  EXPECT_EQ(found.first, "WIFI DISCONNECT");
  EXPECT_EQ(found.size, 35U);
}

TEST(ModuleNotice, IsDataWhenAnythingFollows) {
  EXPECT_EQ(find("CLOSED\r\nx").size, 0U);
  EXPECT_EQ(find("CLOSED\r\n\x80").size, 0U);
}

TEST(ModuleNotice, MayHaveBegun) {
  for (const char* text : {"\xFF"
                           "C",
                           "\xFF"
                           "CLOSED",
                           "\xFF"
                           "CLOSED\r"}) {
    const NoticeSuffix found = find(text);
    EXPECT_EQ(found.size, std::string_view(text).size() - 1) << text;
    EXPECT_EQ(found.first, "") << text;
  }
}

TEST(ModuleNotice, IsNotFoundWhereThereIsNone) {
  EXPECT_EQ(find("").size, 0U);
  EXPECT_EQ(find("hello").size, 0U);
  EXPECT_EQ(find("closed\r\n").first, "");
}

}  // namespace
}  // namespace mv::link
