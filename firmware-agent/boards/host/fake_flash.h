// Flash for tests: pages, quad-words written once, ECC, and power that fails in the middle of an operation.
//
// An operation is one quad-word programmed or one page erased. `cut_at(n, how)` lets n operations pass and then cuts
// the power: the next one happens not at all, in part, or whole, and from then on every call answers kFailed until
// `restore_power`. Of an operation in part, what is left behind depends on `seed`: a torn quad-word reads as an ECC
// error, or as if still erased but used up, or as written; a torn page is a patchwork of old contents, erased and
// unreadable.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/platform/ports.h"

namespace mv::host {

class FakeFlash final : public Flash {
 public:
  enum class Cut : std::uint8_t { kNotDone, kTorn, kDone };

  explicit FakeFlash(std::uint32_t size);

  std::uint32_t size() const override { return static_cast<std::uint32_t>(bytes_.size()); }
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
  void flip_bit(std::uint32_t offset, unsigned bit) { bytes_.at(offset) ^= static_cast<std::uint8_t>(1U << bit); }

 private:
  enum class Cell : std::uint8_t { kErased, kWritten, kUsedUp, kTorn };

  std::uint32_t random();
  bool step(bool& torn);
  void tear_quad_word(std::uint32_t quad_word, std::span<const std::uint8_t> bytes);
  void tear_page(std::uint32_t offset);

  std::vector<std::uint8_t> bytes_;
  std::vector<Cell> cells_;  // one a quad-word
  std::uint64_t operations_ = 0;
  std::uint64_t cut_at_ = ~0ULL;
  std::uint64_t fail_at_ = ~0ULL;
  Cut how_ = Cut::kNotDone;
  std::uint32_t random_ = 1;
  bool powered_ = true;
};

}  // namespace mv::host
