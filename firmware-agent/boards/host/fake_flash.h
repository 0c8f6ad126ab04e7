// Flash for tests: pages, quad-words written once, ECC, and power that fails in the middle of an operation.
//
// An operation is one quad-word programmed or one page erased. `cut_at(n, how)` lets n operations pass and then cuts
// the power: the next one happens not at all, in part, or whole, and from then on every call answers kFailed until
// `restore_power`. Of an operation in part, what is left behind depends on `seed`: a quad-word torn early reads as if
// still erased but is used up, torn late as written, and either as an ECC error; a page torn early is a patchwork of
// old contents and unreadable places, torn late of erased ones and unreadable ones.
//
// A copy shares its pages with the original until one of them changes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/platform/ports.h"

namespace mv::host {

class FakeFlash final : public Flash {
 public:
  enum class Cut : std::uint8_t { kNotDone, kTornEarly, kTornLate, kDone };

  explicit FakeFlash(std::uint32_t size);

  std::uint32_t size() const override { return static_cast<std::uint32_t>(pages_.size() * kPage); }
  Result read(std::uint32_t offset, std::span<std::uint8_t> out) override;
  Result erase_page(std::uint32_t offset) override;
  Result program(std::uint32_t offset, std::span<const std::uint8_t> quad_words) override;

  void cut_at(std::uint64_t operations, Cut how, std::uint32_t seed = 1);
  void restore_power();
  bool powered() const { return powered_; }

  // Operations done since the start, or since the last `cut_at`.
  std::uint64_t operations() const { return operations_; }

  // The n-th operation from now on answers kFailed and does nothing; the power stays on.
  void fail_at(std::uint64_t operations) { fail_at_ = operations_ + operations; }

  // Puts bytes there whatever was there before, as a programmer at the factory does.
  void load(std::uint32_t offset, std::span<const std::uint8_t> bytes);

  // Flips one bit behind the ECC's back.
  void flip_bit(std::uint32_t offset, unsigned bit) {
    writable(offset / kPage).bytes[offset % kPage] ^= static_cast<std::uint8_t>(1U << bit);
  }

 private:
  enum class Cell : std::uint8_t { kErased, kWritten, kUsedUp, kTorn };

  struct Page {
    std::array<std::uint8_t, kPage> bytes;
    std::array<Cell, kPage / kQuadWord> cells;
  };

  static const std::shared_ptr<Page>& erased_page();
  Page& writable(std::size_t page);
  std::uint32_t random();
  bool step(bool& torn);
  void tear_quad_word(std::uint32_t offset, std::span<const std::uint8_t> bytes);
  void tear_page(Page& page);

  std::vector<std::shared_ptr<Page>> pages_;
  std::uint64_t operations_ = 0;
  std::uint64_t cut_at_ = ~0ULL;
  std::uint64_t fail_at_ = ~0ULL;
  Cut how_ = Cut::kNotDone;
  std::uint32_t random_ = 1;
  bool powered_ = true;
};

}  // namespace mv::host
