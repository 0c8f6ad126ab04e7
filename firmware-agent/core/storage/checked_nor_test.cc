// The rules of the chip's flash on a NOR, with the power cut at every byte of every operation.
#include "core/storage/checked_nor.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

namespace mv::storage {
namespace {

using Result = Flash::Result;

// Programs and erases byte by byte; the power can fail before any of them.
class FakeNor final : public NorDevice {
 public:
  bool read(std::uint32_t address, std::span<std::uint8_t> out) override {
    std::copy_n(cells.begin() + address, out.size(), out.begin());
    return true;
  }
  bool program(std::uint32_t address, std::span<const std::uint8_t> bytes) override {
    for (const std::uint8_t byte : bytes) {
      if (left == 0) return false;
      --left;
      cells[address++] &= byte;
    }
    return true;
  }
  // From the end of the sector backwards, so that an erase that was cut leaves its beginning.
  bool erase_sector(std::uint32_t address) override {
    for (std::uint32_t at = kSector; at > 0; at -= 64) {
      if (left == 0) return false;
      --left;
      std::fill_n(cells.begin() + address + at - 64, 64, 0xff);
    }
    return true;
  }

  std::vector<std::uint8_t> cells = std::vector<std::uint8_t>(2 * CheckedNor::kPageOnDevice, 0xff);
  std::uint64_t left = ~0ULL;
};

std::vector<std::uint8_t> counting(std::size_t size, std::uint8_t from) {
  std::vector<std::uint8_t> bytes(size);
  std::iota(bytes.begin(), bytes.end(), from);
  return bytes;
}

TEST(CheckedNor, ReadsWhatWasProgrammedAnywhere) {
  FakeNor device;
  CheckedNor nor(device, 0);
  const auto bytes = counting(2 * Flash::kPage - 32, 3);
  ASSERT_EQ(nor.program(16, bytes), Result::kOk);
  std::vector<std::uint8_t> out(2 * Flash::kPage);
  ASSERT_EQ(nor.read(0, out), Result::kOk);
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), out.begin() + 16));
  EXPECT_EQ(out[15], 0xff);
  std::array<std::uint8_t, 5> few{};
  ASSERT_EQ(nor.read(Flash::kPage - 2, few), Result::kOk);
  EXPECT_TRUE(std::equal(few.begin(), few.end(), out.begin() + Flash::kPage - 2));
}

TEST(CheckedNor, ProgramsAQuadWordOncePerErase) {
  FakeNor device;
  CheckedNor nor(device, 0);
  const std::vector<std::uint8_t> ones(16, 0xff);
  ASSERT_EQ(nor.program(32, ones), Result::kOk);
  EXPECT_EQ(nor.program(32, counting(16, 1)), Result::kNotErased);
  ASSERT_EQ(nor.erase_page(0), Result::kOk);
  EXPECT_EQ(nor.program(32, counting(16, 1)), Result::kOk);
  EXPECT_EQ(nor.program(8, ones), Result::kOutOfRange);
}

TEST(CheckedNor, AWriteThatWasCutIsBlankTornOrWhole) {
  const auto bytes = counting(48, 7);
  int torn = 0;
  for (std::uint64_t cut = 0;; ++cut) {
    FakeNor device;
    CheckedNor nor(device, 0);
    device.left = cut;
    const bool done = nor.program(0, bytes) == Result::kOk;
    for (std::uint32_t offset = 0; offset < bytes.size(); offset += 16) {
      std::array<std::uint8_t, 16> out{};
      const Result result = nor.read(offset, out);
      torn += result == Result::kEccError;
      if (result != Result::kOk) continue;
      const bool blank = std::all_of(out.begin(), out.end(), [](std::uint8_t byte) { return byte == 0xff; });
      EXPECT_TRUE(blank || std::equal(out.begin(), out.end(), bytes.begin() + offset)) << "cut " << cut;
    }
    if (done) break;
  }
  EXPECT_GT(torn, 48);
}

TEST(CheckedNor, AnEraseThatWasCutLeavesOldTornOrBlank) {
  const auto bytes = counting(Flash::kPage, 9);
  int torn = 0;
  for (std::uint64_t cut = 0;; ++cut) {
    FakeNor device;
    CheckedNor nor(device, 0);
    ASSERT_EQ(nor.program(0, bytes), Result::kOk);
    device.left = cut;
    const bool done = nor.erase_page(0) == Result::kOk;
    for (std::uint32_t offset = 0; offset < bytes.size(); offset += 16) {
      std::array<std::uint8_t, 16> out{};
      const Result result = nor.read(offset, out);
      torn += result == Result::kEccError;
      if (result != Result::kOk) continue;
      const bool blank = std::all_of(out.begin(), out.end(), [](std::uint8_t byte) { return byte == 0xff; });
      ASSERT_TRUE(blank || std::equal(out.begin(), out.end(), bytes.begin() + offset)) << "cut " << cut;
    }
    if (done) break;
  }
  EXPECT_GT(torn, 1000);
}

TEST(CheckedNor, AFlippedBitIsNoticed) {
  FakeNor device;
  CheckedNor nor(device, CheckedNor::kPageOnDevice);
  ASSERT_EQ(nor.program(0, counting(16, 1)), Result::kOk);
  device.cells[CheckedNor::kPageOnDevice + 5] ^= 4;
  std::array<std::uint8_t, 16> out{};
  EXPECT_EQ(nor.read(0, out), Result::kEccError);
}

}  // namespace
}  // namespace mv::storage
