#include "boards/host/fake_flash.h"

#include <algorithm>

namespace mv::host {

FakeFlash::FakeFlash(std::uint32_t size) : pages_(size / kPage, erased_page()) {}

const std::shared_ptr<FakeFlash::Page>& FakeFlash::erased_page() {
  static const std::shared_ptr<Page> page = [] {
    auto made = std::make_shared<Page>();
    made->bytes.fill(0xFF);
    made->cells.fill(Cell::kErased);
    return made;
  }();
  return page;
}

FakeFlash::Page& FakeFlash::writable(std::size_t page) {
  std::shared_ptr<Page>& own = pages_.at(page);
  if (own.use_count() != 1) own = std::make_shared<Page>(*own);
  return *own;
}

Flash::Result FakeFlash::read(std::uint32_t offset, std::span<std::uint8_t> out) {
  if (!powered_) return Result::kFailed;
  if (offset > size() || out.size() > size() - offset) return Result::kOutOfRange;
  while (!out.empty()) {
    const Page& page = *pages_[offset / kPage];
    const std::size_t at = offset % kPage;
    const auto part = out.first(std::min(out.size(), kPage - at));
    for (std::size_t cell = at / kQuadWord; cell <= (at + part.size() - 1) / kQuadWord; ++cell) {
      if (page.cells[cell] == Cell::kTorn) return Result::kEccError;
    }
    std::copy_n(page.bytes.begin() + static_cast<std::ptrdiff_t>(at), part.size(), part.begin());
    out = out.subspan(part.size());
    offset += static_cast<std::uint32_t>(part.size());
  }
  return Result::kOk;
}

Flash::Result FakeFlash::erase_page(std::uint32_t offset) {
  if (offset % kPage != 0 || offset >= size()) return Result::kOutOfRange;
  bool torn = false;
  if (!step(torn)) return Result::kFailed;
  if (torn) {
    tear_page(writable(offset / kPage));
    return Result::kFailed;
  }
  pages_[offset / kPage] = erased_page();
  return powered_ ? Result::kOk : Result::kFailed;
}

Flash::Result FakeFlash::program(std::uint32_t offset, std::span<const std::uint8_t> quad_words) {
  if (offset % kQuadWord != 0 || quad_words.size() % kQuadWord != 0) return Result::kOutOfRange;
  if (offset > size() || quad_words.size() > size() - offset) return Result::kOutOfRange;
  for (std::uint32_t done = 0; done < quad_words.size(); done += kQuadWord) {
    const std::uint32_t at = offset + done;
    if (pages_[at / kPage]->cells[at % kPage / kQuadWord] != Cell::kErased) {
      return powered_ ? Result::kNotErased : Result::kFailed;
    }
    bool torn = false;
    if (!step(torn)) return Result::kFailed;
    const auto bytes = quad_words.subspan(done, kQuadWord);
    if (torn) {
      tear_quad_word(at, bytes);
      return Result::kFailed;
    }
    Page& page = writable(at / kPage);
    std::ranges::copy(bytes, page.bytes.begin() + at % kPage);
    page.cells[at % kPage / kQuadWord] = Cell::kWritten;
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
  for (const std::uint8_t byte : bytes) {
    Page& page = writable(offset / kPage);
    page.bytes[offset % kPage] = byte;
    page.cells[offset % kPage / kQuadWord] = Cell::kWritten;
    ++offset;
  }
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
  torn = how_ == Cut::kTornEarly || how_ == Cut::kTornLate;
  return how_ != Cut::kNotDone;
}

void FakeFlash::tear_quad_word(std::uint32_t offset, std::span<const std::uint8_t> bytes) {
  Page& page = writable(offset / kPage);
  Cell& cell = page.cells[offset % kPage / kQuadWord];
  if (random() % 2 == 0) {
    cell = Cell::kTorn;
  } else if (how_ == Cut::kTornEarly) {
    cell = Cell::kUsedUp;  // a few electrons short of a bit: reads as erased
  } else {
    std::ranges::copy(bytes, page.bytes.begin() + offset % kPage);
    cell = Cell::kWritten;
  }
}

void FakeFlash::tear_page(Page& page) {
  for (std::size_t at = 0; at < kPage; at += kQuadWord) {
    Cell& cell = page.cells[at / kQuadWord];
    if (random() % 3 == 0) {
      cell = Cell::kTorn;
    } else if (how_ == Cut::kTornLate) {
      std::fill_n(page.bytes.begin() + static_cast<std::ptrdiff_t>(at), kQuadWord, std::uint8_t{0xFF});
      cell = Cell::kUsedUp;
    }  // else as it was
  }
}

}  // namespace mv::host
