#include "boards/host/fake_flash.h"

#include <algorithm>

namespace mv::host {

FakeFlash::FakeFlash(std::uint32_t size) : bytes_(size, 0xFF), cells_(size / kQuadWord, Cell::kErased) {}

Flash::Result FakeFlash::read(std::uint32_t offset, std::span<std::uint8_t> out) {
  if (!powered_) return Result::kFailed;
  if (offset > size() || out.size() > size() - offset) return Result::kOutOfRange;
  if (out.empty()) return Result::kOk;
  const std::size_t last = (offset + out.size() - 1) / kQuadWord;
  for (std::size_t quad_word = offset / kQuadWord; quad_word <= last; ++quad_word) {
    if (cells_[quad_word] == Cell::kTorn) return Result::kEccError;
  }
  std::copy_n(bytes_.begin() + offset, out.size(), out.begin());
  return Result::kOk;
}

Flash::Result FakeFlash::erase_page(std::uint32_t offset) {
  if (offset % kPage != 0 || offset >= size()) return Result::kOutOfRange;
  bool torn = false;
  if (!step(torn)) return Result::kFailed;
  if (torn) {
    tear_page(offset);
    return Result::kFailed;
  }
  std::fill_n(bytes_.begin() + offset, kPage, std::uint8_t{0xFF});
  std::fill_n(cells_.begin() + offset / kQuadWord, kPage / kQuadWord, Cell::kErased);
  return powered_ ? Result::kOk : Result::kFailed;
}

Flash::Result FakeFlash::program(std::uint32_t offset, std::span<const std::uint8_t> quad_words) {
  if (offset % kQuadWord != 0 || quad_words.size() % kQuadWord != 0) return Result::kOutOfRange;
  if (offset > size() || quad_words.size() > size() - offset) return Result::kOutOfRange;
  for (std::uint32_t done = 0; done < quad_words.size(); done += kQuadWord) {
    const std::uint32_t quad_word = (offset + done) / static_cast<std::uint32_t>(kQuadWord);
    if (cells_[quad_word] != Cell::kErased) return powered_ ? Result::kNotErased : Result::kFailed;
    bool torn = false;
    if (!step(torn)) return Result::kFailed;
    const auto bytes = quad_words.subspan(done, kQuadWord);
    if (torn) {
      tear_quad_word(quad_word, bytes);
      return Result::kFailed;
    }
    std::ranges::copy(bytes, bytes_.begin() + offset + done);
    cells_[quad_word] = Cell::kWritten;
    if (!powered_) return Result::kFailed;
  }
  return Result::kOk;
}

void FakeFlash::cut_at(std::uint64_t operations, Cut how, std::uint32_t seed) {
  operations_ = 0;
  fail_at_ = ~0ULL;
  cut_at_ = operations;
  how_ = how;
  random_ = seed * 2654435761U | 1U;
}

void FakeFlash::restore_power() {
  powered_ = true;
  cut_at_ = ~0ULL;
}

void FakeFlash::load(std::uint32_t offset, std::span<const std::uint8_t> bytes) {
  std::ranges::copy(bytes, bytes_.begin() + offset);
  for (std::size_t at = offset; at < offset + bytes.size(); at += 1) cells_[at / kQuadWord] = Cell::kWritten;
}

std::uint32_t FakeFlash::random() {
  random_ ^= random_ << 13U;
  random_ ^= random_ >> 17U;
  random_ ^= random_ << 5U;
  return random_;
}

// Counts one operation; false if it does not happen. `torn`: it happens in part.
bool FakeFlash::step(bool& torn) {
  if (!powered_) return false;
  const std::uint64_t number = operations_++;
  if (number == fail_at_) return false;
  if (number != cut_at_) return true;
  powered_ = false;
  torn = how_ == Cut::kTorn;
  return how_ != Cut::kNotDone;
}

void FakeFlash::tear_quad_word(std::uint32_t quad_word, std::span<const std::uint8_t> bytes) {
  switch (random() % 4) {
    case 0:
      cells_[quad_word] = Cell::kUsedUp;  // a few electrons short of a bit: reads as erased
      break;
    case 1:
      std::ranges::copy(bytes, bytes_.begin() + static_cast<std::ptrdiff_t>(quad_word * kQuadWord));
      cells_[quad_word] = Cell::kWritten;
      break;
    default:
      cells_[quad_word] = Cell::kTorn;
      break;
  }
}

void FakeFlash::tear_page(std::uint32_t offset) {
  for (std::size_t at = 0; at < kPage; at += kQuadWord) {
    Cell& cell = cells_[(offset + at) / kQuadWord];
    switch (random() % 3) {
      case 0:
        break;  // as it was
      case 1:
        std::fill_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset + at), kQuadWord, std::uint8_t{0xFF});
        cell = Cell::kUsedUp;
        break;
      default:
        cell = Cell::kTorn;
        break;
    }
  }
}

}  // namespace mv::host
