#include "boards/stm32u585/random.h"

#include <algorithm>
#include <cstring>

#include "boards/stm32u585/registers.h"

namespace mv::board {
namespace {

constexpr std::uint32_t kEnable = 1U << 2, kConditionReset = 1U << 30;
constexpr std::uint32_t kNistConfiguration = 0x00f00d00;  // 48.6.2, table "RNG configurations"
constexpr std::uint32_t kNistHealthTests = 0xaac7;
constexpr std::uint32_t kReady = 1U << 0, kClockError = 1U << 1, kSeedError = 1U << 2;
constexpr std::uint32_t kErrors = kClockError | kSeedError | 1U << 5 | 1U << 6;  // and their notes, CEIS and SEIS
constexpr int kStarts = 3;

}  // namespace

bool Random::start() {
  reg32(rng::kControl) = kNistConfiguration | kConditionReset;
  reg32(rng::kHealthTest) = kNistHealthTests;
  reg32(rng::kControl) = kNistConfiguration | kEnable;
  if (!wait_for(rng::kControl, kConditionReset, 0)) return false;
  reg32(rng::kStatus) = 0;
  return wait_for(rng::kStatus, kReady | kErrors, kReady) && next(last_);
}

bool Random::set_up() {
  for (int attempt = 0; attempt < kStarts && !ready_; ++attempt) ready_ = start();
  return ready_;
}

// A word twice in a row happens by chance once in four billion: then the generator is started anew.
bool Random::next(std::uint32_t& word) {
  if (!wait_for(rng::kStatus, kReady | kErrors, kReady)) return false;
  word = reg32(rng::kData);
  return word != 0 && (reg32(rng::kStatus) & kErrors) == 0;  // 48.7.3: zero tells an error in between
}

// Only the Secure thread asks, so nothing is shared.
bool Random::fill(std::span<std::uint8_t> out) {
  for (int attempt = 0; ready_ && !out.empty();) {
    std::uint32_t word = 0;
    if (!next(word) || word == last_) {
      ready_ = ++attempt < kStarts && start();
      continue;
    }
    last_ = word;
    const std::size_t taken = std::min(out.size(), sizeof(word));
    std::memcpy(out.data(), &word, taken);
    out = out.subspan(taken);
  }
  return ready_;
}

}  // namespace mv::board
