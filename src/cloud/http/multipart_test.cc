#include "cloud/http/multipart.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace mv::cloud {
namespace {

// Collects what the parser gives.
struct Parts {
  std::vector<std::pair<std::string, std::string>> found;
  MultipartParser parser{"XX",
                         [this](const std::string& name) -> Result<void> {
                           found.emplace_back(name, "");
                           return {};
                         },
                         [this](std::string_view piece) -> Result<void> {
                           found.back().second += piece;
                           return {};
                         }};

  Result<void> push(std::string_view bytes, std::size_t piece) {
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      if (auto done = parser.push(bytes.substr(at, piece)); !done) return done;
    }
    return {};
  }
};

// The sentence with which a body is refused.
std::string refusal(std::string_view body) {
  Parts parts;
  const auto done = parts.push(body, body.size());
  return done ? "" : done.error();
}

constexpr std::string_view kBody =
    "a preamble\r\n--XX\r\nContent-Disposition: form-data; name=\"UniqueName\"\r\n\r\nporch\r\n"
    "--XX\r\nContent-Type: application/zip\r\ncontent-disposition: form-data; name=File; filename=\"a.zip\"\r\n\r\n"
    "PK\r\n--XY\r\n--X\r\n\r\n\r\n--XX--\r\nan epilogue";

TEST(MultipartParser, GivesTheSamePartsHoweverTheBytesAreCut) {
  const std::vector<std::pair<std::string, std::string>> expected = {{"UniqueName", "porch"},
                                                                     {"File", "PK\r\n--XY\r\n--X\r\n\r\n"}};
  for (std::size_t piece = 1; piece <= kBody.size(); ++piece) {
    Parts parts;
    ASSERT_TRUE(parts.push(kBody, piece));
    EXPECT_EQ(parts.found, expected) << "in pieces of " << piece;
    EXPECT_TRUE(parts.parser.complete());
  }
}

TEST(MultipartParser, IsNotCompleteBeforeTheClosingBoundary) {
  const std::size_t closing = kBody.find("--XX--");
  Parts parts;
  ASSERT_TRUE(parts.push(kBody.substr(0, closing + 5), 1));
  EXPECT_FALSE(parts.parser.complete());
  ASSERT_TRUE(parts.parser.push("-"));
  EXPECT_TRUE(parts.parser.complete());
}

TEST(MultipartParser, AFileNameThatLooksLikeAParameterIsNone) {
  Parts parts;
  ASSERT_TRUE(parts.parser.push(
      "--XX\r\nContent-Disposition: form-data; filename=\"a; name=evil; b\"; name=\"File\"\r\n\r\nx\r\n--XX--"));
  ASSERT_EQ(parts.found.size(), 1u);
  EXPECT_EQ(parts.found[0].first, "File");
}

TEST(MultipartParser, RefusesAPartWithoutAName) {
  EXPECT_EQ(refusal("--XX\r\nContent-Type: text/plain\r\n\r\nx\r\n--XX--"),
            "a part of the body has no name in its Content-Disposition");
}

TEST(MultipartParser, RefusesANameThatIsNotUtf8) {
  EXPECT_NE(refusal("--XX\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\nx\r\n--XX--"), "");
}

TEST(MultipartParser, RefusesHeadersAboveFourKibibytesAsTheyCome) {
  EXPECT_EQ(refusal("--XX\r\nX: " + std::string(5000, 'x')), "the headers of a part of the body are larger than 4 KiB");
  EXPECT_EQ(refusal("--XX\r\nX: " + std::string(5000, 'x') + "\r\n\r\n"),
            "the headers of a part of the body are larger than 4 KiB");
}

TEST(MultipartParser, RefusesABodyWhoseBoundaryDoesNotCome) {
  EXPECT_EQ(refusal(std::string(5000, 'x')), "the body's boundary does not come: is it multipart/form-data?");
}

TEST(MultipartParser, RefusesABoundaryThatGoesOn) {
  EXPECT_EQ(refusal("--XXY\r\n"), "a boundary in the body is not followed by a line break");
}

TEST(MultipartParser, StopsWithTheSentenceOfWhoTakesTheParts) {
  MultipartParser parser(
      "XX", [](const std::string&) { return Result<void>(); },
      [](std::string_view) -> Result<void> { return fail("too much"); });
  const auto done = parser.push("--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n" + std::string(100, 'x'));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error(), "too much");
}

TEST(MultipartParser, FindsTheBoundaryOfAContentType) {
  const auto boundary = MultipartParser::boundary_of;
  EXPECT_EQ(boundary("multipart/form-data; boundary=XX"), "XX");
  EXPECT_EQ(boundary("Multipart/Form-Data; charset=utf-8; Boundary=\"a; b\""), "a; b");
  EXPECT_EQ(boundary("multipart/form-data; boundary=" + std::string(70, 'x')), std::string(70, 'x'));
  EXPECT_EQ(boundary("multipart/form-data; boundary=" + std::string(71, 'x')), std::nullopt);
  EXPECT_EQ(boundary("multipart/form-data; boundary=\"cut off"), std::nullopt);
  EXPECT_EQ(boundary("multipart/form-data; boundary="), std::nullopt);
  EXPECT_EQ(boundary("multipart/form-data"), std::nullopt);
  EXPECT_EQ(boundary("text/plain; boundary=XX"), std::nullopt);
}

}  // namespace
}  // namespace mv::cloud
