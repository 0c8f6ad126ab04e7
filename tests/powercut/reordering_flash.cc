#include "reordering_flash.h"

#include <utility>

namespace mv::powercut {
namespace {

bool is_meant(const flash_map::Area& area, const Mutation::Which& which, const Operation& operation) {
  const bool inside = operation.offset >= area.offset && operation.offset - area.offset < area.size;
  return inside && (!which || which(operation));
}

Flash::Result apply(host::FakeFlash& flash, const Operation& operation) {
  return operation.bytes.empty() ? flash.erase_page(operation.offset)
                                 : flash.program(operation.offset, operation.bytes);
}

// The journal's record of the state begins with its kind, 0, and a version; the phase is in its number.
bool is_state(const Operation& operation) {
  const flash_map::Area journal = flash_map::kUpdateJournal;
  return operation.offset >= journal.offset && operation.offset - journal.offset < journal.size &&
         operation.bytes.size() == Flash::kQuadWord && operation.bytes[0] == 0 && operation.bytes[1] == 1;
}

}  // namespace

Flash::Result ReorderingFlash::read(std::uint32_t offset, std::span<std::uint8_t> out) {
  return seen_ && flash_.powered() ? seen_->read(offset, out) : flash_.read(offset, out);
}

Flash::Result ReorderingFlash::erase_page(std::uint32_t offset) { return carry_out({offset, {}, phase_}); }

Flash::Result ReorderingFlash::program(std::uint32_t offset, std::span<const std::uint8_t> quad_words) {
  return carry_out({offset, {quad_words.begin(), quad_words.end()}, phase_});
}

Flash::Result ReorderingFlash::carry_out(const Operation& operation) {
  const bool held = is_meant(mutation_.held, mutation_.which, operation);
  if (is_state(operation)) phase_ = operation.bytes[4] & 0xFU;
  return held ? hold(operation) : pass(operation);
}

Flash::Result ReorderingFlash::hold(const Operation& operation) {
  if (!flash_.powered()) return Result::kFailed;
  if (!seen_) {
    seen_ = flash_;
    seen_->cut_at(~0ULL, host::FakeFlash::Cut::kDone);
  }
  held_.push_back(operation);
  return apply(*seen_, operation);
}

Flash::Result ReorderingFlash::pass(const Operation& operation) {
  const Result result = apply(flash_, operation);
  if (seen_) apply(*seen_, operation);
  if (!held_.empty() && is_meant(mutation_.until, mutation_.until_which, operation) && ++passed_ == mutation_.after) {
    for (const Operation& each : std::exchange(held_, {})) apply(flash_, each);
    seen_.reset();
    passed_ = 0;
  }
  return result;
}

}  // namespace mv::powercut
