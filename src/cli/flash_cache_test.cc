#include "cli/flash_cache.h"

#include <array>
#include <fstream>
#include <iterator>
#include <thread>

#include <gtest/gtest.h>

#include "bundle/hash.h"

namespace mv::cli {
namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;
using Image = std::array<std::uint8_t, 32>;

class FlashCacheTest : public testing::Test {
 protected:
  FlashCacheTest() {
    std::string name = (fs::temp_directory_path() / "mv-flash-XXXXXX").string();
    folder_ = fs::path(::mkdtemp(name.data())) / "flash";
  }
  ~FlashCacheTest() override { fs::remove_all(folder_.parent_path()); }

  static Image image(std::uint8_t filler) {
    Image image;
    image.fill(filler);
    return image;
  }
  fs::path file(const Image& image) const { return folder_ / bundle::hex(image); }
  static void set_age(const fs::path& path, int hours) {
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(hours));
  }

  fs::path folder_;
};

TEST_F(FlashCacheTest, KnowsNothingAtFirst) {
  EXPECT_TRUE(FlashCache(folder_).load(image(1)).empty());
  EXPECT_FALSE(fs::exists(folder_));
}

TEST_F(FlashCacheTest, KeepsWhatItIsGivenByImage) {
  FlashCache(folder_).save(image(1), {{0x1000, {1, 2, 3}}, {0x2000, {4}}});
  const auto content = FlashCache(folder_).load(image(1));
  ASSERT_EQ(content.size(), 2U);
  EXPECT_EQ(content[0].address, 0x1000U);
  EXPECT_EQ(content[0].bytes, (Bytes{1, 2, 3}));
  EXPECT_EQ(content[1].address, 0x2000U);
  EXPECT_TRUE(FlashCache(folder_).load(image(2)).empty());
}

TEST_F(FlashCacheTest, AddsToWhatIsThere) {
  FlashCache cache(folder_);
  cache.save(image(1), {{0x1000, {1, 2}}});
  cache.save(image(1), {{0x1002, {3}}, {0x3000, {9}}});
  const auto content = cache.load(image(1));
  ASSERT_EQ(content.size(), 2U);
  EXPECT_EQ(content[0].bytes, (Bytes{1, 2, 3}));
  EXPECT_EQ(content[1].address, 0x3000U);
}

// Whatever byte is wrong, and wherever the file ends.
TEST_F(FlashCacheTest, DropsADamagedFile) {
  const std::string good = encode_flash({{0x1000, {1, 2, 3}}});
  ASSERT_TRUE(decode_flash(bundle::as_bytes(good)));
  FlashCache cache(folder_);
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string flipped = good;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    for (const std::string& bad : {flipped, good.substr(0, at)}) {
      cache.save(image(1), {{0x1000, {7}}});
      std::ofstream(file(image(1)), std::ios::binary | std::ios::trunc) << bad;
      EXPECT_TRUE(cache.load(image(1)).empty()) << at;
      EXPECT_FALSE(fs::exists(file(image(1)))) << at;
    }
  }
}

TEST_F(FlashCacheTest, RefusesSizesThatLieUnderARightChecksum) {
  for (const auto& [address, size] : {std::pair(0x1000U, 4U), {0x1000U, 0U}, {0xffffffffU, 3U}}) {
    std::string body = "mvflash1";
    for (const std::uint32_t word : {address, size})
      for (int shift = 0; shift < 32; shift += 8) body += static_cast<char>(word >> shift);
    body += "abc";
    const auto hash = bundle::sha256(bundle::as_bytes(body));
    body.append(hash.bytes.begin(), hash.bytes.end());
    EXPECT_FALSE(decode_flash(bundle::as_bytes(body))) << size;
  }
}

TEST_F(FlashCacheTest, LetsTheLeastRecentlyUsedGo) {
  FlashCache cache(folder_, 3000);
  for (std::uint8_t name = 1; name <= 3; ++name) cache.save(image(name), {{0x1000, Bytes(900)}});
  set_age(file(image(1)), 3);
  set_age(file(image(2)), 2);
  set_age(file(image(3)), 1);
  EXPECT_FALSE(cache.load(image(1)).empty());  // used now
  cache.save(image(4), {{0x1000, Bytes(900)}});
  EXPECT_TRUE(fs::exists(file(image(1))));
  EXPECT_FALSE(fs::exists(file(image(2))));
  EXPECT_TRUE(fs::exists(file(image(3))));
  EXPECT_TRUE(fs::exists(file(image(4))));
  cache.save(image(5), {{0x1000, Bytes(3000)}});
  EXPECT_FALSE(fs::exists(file(image(5)))) << "larger than all may be";
}

TEST_F(FlashCacheTest, IsSafeForSeveralAtOnce) {
  std::vector<std::thread> threads;
  for (std::uint8_t n = 0; n < 4; ++n)
    threads.emplace_back([this, n] {
      FlashCache cache(folder_);
      for (int i = 0; i < 20; ++i) {
        cache.save(image(1), {{std::uint32_t{n} * 0x100, Bytes(64, n)}});
        for (const auto& piece : cache.load(image(1)))
          EXPECT_EQ(piece.bytes.front(), piece.address / 0x100) << "a reader saw half a file";
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_FALSE(FlashCache(folder_).load(image(1)).empty());
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1) << "nothing is left lying about";
}

}  // namespace
}  // namespace mv::cli
