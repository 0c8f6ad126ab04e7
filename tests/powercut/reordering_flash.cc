#include "reordering_flash.h"

#include <utility>

namespace mv::powercut {
namespace {

bool inside(const flash_map::Area& area, std::uint32_t offset) {
  return offset >= area.offset && offset - area.offset < area.size;
}

Flash::Result carry_out(host::FakeFlash& flash, std::uint32_t offset, std::span<const std::uint8_t> bytes) {
  return bytes.empty() ? flash.erase_page(offset) : flash.program(offset, bytes);
}

}  // namespace

bool ReorderingFlash::holds(std::uint32_t offset, std::span<const std::uint8_t> bytes) const {
  return inside(mutation_.held, offset) && (!mutation_.which || mutation_.which(offset, bytes));
}

Flash::Result ReorderingFlash::read(std::uint32_t offset, std::span<std::uint8_t> out) {
  return seen_ && flash_.powered() ? seen_->read(offset, out) : flash_.read(offset, out);
}

Flash::Result ReorderingFlash::erase_page(std::uint32_t offset) {
  const Operation operation = {offset, {}};
  return holds(offset, {}) ? hold(operation) : pass(operation);
}

Flash::Result ReorderingFlash::program(std::uint32_t offset, std::span<const std::uint8_t> quad_words) {
  const Operation operation = {offset, {quad_words.begin(), quad_words.end()}};
  return holds(offset, quad_words) ? hold(operation) : pass(operation);
}

Flash::Result ReorderingFlash::hold(const Operation& operation) {
  if (!flash_.powered()) return Result::kFailed;
  if (!seen_) {
    seen_ = flash_;
    seen_->cut_at(~0ULL, host::FakeFlash::Cut::kDone);
  }
  held_.push_back(operation);
  return carry_out(*seen_, operation.offset, operation.bytes);
}

Flash::Result ReorderingFlash::pass(const Operation& operation) {
  const Result result = carry_out(flash_, operation.offset, operation.bytes);
  if (seen_) carry_out(*seen_, operation.offset, operation.bytes);
  if (inside(mutation_.until, operation.offset)) {
    for (const Operation& each : std::exchange(held_, {})) carry_out(flash_, each.offset, each.bytes);
    seen_.reset();
  }
  return result;
}

}  // namespace mv::powercut
