#include "core/image/image.h"

#include <gtest/gtest.h>

#include "boards/host/fake_flash.h"
#include "core/image/image_fixture.h"

namespace mv::image {
namespace {

using namespace fixture;

constexpr flash_map::Area kPlace = flash_map::kMicrovisor;

class ImageTest : public ::testing::Test {
 protected:
  // What the check says of a file in the place.
  std::string judge(const Bytes& file) {
    flash_ = host::FakeFlash(kFlashSize);
    flash_.load(kPlace.offset, file);
    return judge();
  }

  std::string judge() {
    const auto header = check_image(flash_, kPlace, kTarget, crypto_);
    return header ? "good" : describe(header.error());
  }

  // A good image but for what `edit` does to its header before it is signed.
  template <typename Edit>
  std::string judge_edited(Edit edit) {
    const Bytes content(1000, 7);
    Header header = header_for(content, 5);
    edit(header);
    sign(header);
    return judge(file_of(header, content));
  }

  host::FakeFlash flash_{kFlashSize};
  FakeCrypto crypto_;
};

TEST_F(ImageTest, TakesAGoodImage) { EXPECT_EQ(judge(make_image(5)), "good"); }

TEST_F(ImageTest, FindsNoImageInErasedFlash) { EXPECT_EQ(judge(Bytes(16, 0xFF)), describe(ImageError::kNoImage)); }

TEST_F(ImageTest, FindsEveryChangedBit) {
  const Bytes file = make_image(5, 40);
  for (std::size_t at = 0; at < file.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes changed = file;
      changed[at] ^= static_cast<std::uint8_t>(1U << bit);
      flash_.load(kPlace.offset, changed);
      ASSERT_NE(judge(), "good") << "byte " << at << " bit " << bit;
    }
  }
}

TEST_F(ImageTest, TrustsNoFieldThatIsNotSigned) {
  const Bytes content(1000, 7);
  Header header = header_for(content, 5);
  header.length = 0xFFFFFFFF;
  EXPECT_EQ(judge(file_of(header, content)), describe(ImageError::kBadSignature));
}

TEST_F(ImageTest, RefusesLengthsThatDoNotFit) {
  const auto with_length = [this](std::uint32_t length) {
    return judge_edited([length](Header& header) { header.length = length; });
  };
  const std::string bad = describe(ImageError::kBadLength);
  EXPECT_EQ(with_length(0), bad);
  EXPECT_EQ(with_length(7), bad);
  EXPECT_EQ(with_length(kTarget.room + 1), bad);
  EXPECT_EQ(with_length(0xFFFFFFFF), bad);
  EXPECT_EQ(with_length(kTarget.room), describe(ImageError::kBadHash));
}

TEST_F(ImageTest, RefusesAnotherBoardsImage) {
  for (const char* name : {"stm32u585", "mps2-an505x", "mps2-an50", ""}) {
    const auto result = judge_edited([name](Header& header) {
      header.board = {};
      std::copy_n(name, std::strlen(name), header.board.begin());
    });
    EXPECT_EQ(result, describe(ImageError::kWrongBoard)) << name;
  }
}

TEST_F(ImageTest, RefusesAnotherLoadAddress) {
  EXPECT_EQ(judge_edited([](Header& header) { header.load_address += 0x10000; }),
            describe(ImageError::kBadLoadAddress));
}

TEST_F(ImageTest, RefusesAnUnknownHeader) {
  EXPECT_EQ(judge_edited([](Header& header) { ++header.header_version; }), describe(ImageError::kUnknownHeader));
}

TEST_F(ImageTest, TakesATornQuadWordForDamage) {
  const Bytes file = make_image(5, 8192);
  flash_ = host::FakeFlash(kFlashSize);
  const std::size_t written = 4096;
  ASSERT_EQ(flash_.program(kPlace.offset, std::span(file).first(written)), Flash::Result::kOk);
  flash_.cut_at(0, host::FakeFlash::Cut::kTornEarly, 2);
  flash_.program(kPlace.offset + written, std::span(file).subspan(written, 16));
  flash_.restore_power();
  EXPECT_EQ(judge(), describe(ImageError::kBadHash));
}

TEST_F(ImageTest, HashesTheWholeFile) {
  const Bytes file = make_image(5);
  judge(file);
  Digest digest;
  ASSERT_TRUE(hash_file(flash_, kPlace, crypto_, digest));
  EXPECT_EQ(digest, fake_digest(file));
}

TEST_F(ImageTest, HashesNothingThatReachesBeyondItsPlace) {
  Bytes file = make_image(5);
  Header header;
  std::memcpy(&header, file.data(), sizeof header);
  header.length = kPlace.size - sizeof(Header) + 1;
  std::memcpy(file.data(), &header, sizeof header);
  judge(file);
  Digest digest;
  EXPECT_FALSE(hash_file(flash_, kPlace, crypto_, digest));
}

TEST(VersionText, ShowsAllThreeParts) {
  EXPECT_STREQ(version_text(0).data(), "0.0.0");
  EXPECT_STREQ(version_text(0x00010000).data(), "0.1.0");
  EXPECT_STREQ(version_text(0x0A141E28).data(), "10.20.7720");
  EXPECT_STREQ(version_text(0xFFFFFFFF).data(), "255.255.65535");
}

}  // namespace
}  // namespace mv::image
