#include "transport/url.h"

#include <gtest/gtest.h>

namespace mv::transport {
namespace {

TEST(CloudUrl, ReadsHostPortAndPrefix) {
  const auto url = parse_cloud_url("https://cloud.example:8443/mv/");
  ASSERT_TRUE(url.has_value());
  EXPECT_EQ(url->host, "cloud.example");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->path, "/mv");
  EXPECT_EQ(parse_cloud_url("https://cloud.example")->port, 443);
  EXPECT_EQ(parse_cloud_url("https://[::1]:8443")->host, "::1");
}

TEST(CloudUrl, RefusesWhatIsNotTheAddressOfACloud) {
  for (const char* bad :
       {"", "http://a", "https://", "https://a:0", "https://a:70000", "https://a:8443x", "https://[::1",
        "https://user@a", "https://a b", "https://a\n", "https://a?x", "https://[::1]8443"}) {
    EXPECT_FALSE(parse_cloud_url(bad).has_value()) << bad;
  }
}

TEST(Encoding, EscapesEverythingThatHasAMeaning) {
  EXPECT_EQ(percent_encode("a/b c&d=\xC3\xA4~"), "a%2Fb%20c%26d%3D%C3%A4~");
  EXPECT_EQ(encode_form({{"UniqueName", "my app"}, {"Force", "true"}}), "UniqueName=my%20app&Force=true");
}

}  // namespace
}  // namespace mv::transport
