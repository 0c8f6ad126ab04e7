#include "core/update/delta/operations.h"

#include <algorithm>

#include "wire/delta_format.h"

namespace mv::update::delta {
namespace {

constexpr std::uint32_t kHalfWord = 2;  // bytes

}  // namespace

void Operations::begin(std::uint32_t place) {
  varint_.reset();
  step_ = Step::kHead;
  left_ = 0;
  old_ = place;
}

Done Operations::push(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    if (step_ == Step::kNew) {
      const auto part = bytes.first(std::min<std::size_t>(bytes.size(), left_));
      if (Done done = writer_.write(part); !done) return done;
      bytes = bytes.subspan(part.size());
      left_ -= static_cast<std::uint32_t>(part.size());
      if (left_ == 0) step_ = Step::kHead;
      continue;
    }
    if (step_ == Step::kHead && writer_.left() == 0) return tl::make_unexpected(DecodeError::kTrailing);
    const VarintReader::State state = varint_.push(bytes.front());
    bytes = bytes.subspan(1);
    if (state == VarintReader::State::kTooLong) return tl::make_unexpected(DecodeError::kBadHeader);
    if (state == VarintReader::State::kMore) continue;
    if (Done done = on_number(varint_.value()); !done) return done;
  }
  return {};
}

Done Operations::on_number(std::uint32_t number) {
  switch (step_) {
    case Step::kHead:
      return on_head(number);
    case Step::kSeek:
      return on_seek(number);
    case Step::kGap:
      return on_gap(number);
    case Step::kDifference:
      return on_difference(number);
    case Step::kNew:
      break;
  }
  return {};
}

Done Operations::on_head(std::uint32_t number) {
  left_ = number >> 1;
  if (left_ == 0 || left_ > writer_.left()) return tl::make_unexpected(DecodeError::kBadOperation);
  step_ = (number & 1) != 0 ? Step::kNew : Step::kSeek;
  return {};
}

Done Operations::on_seek(std::uint32_t number) {
  old_ += static_cast<std::uint32_t>(mv::delta::unzigzag(number));  // modulo 2^32; the check is below
  if (!writer_.in_old(old_, left_)) return tl::make_unexpected(DecodeError::kOutsideOld);
  step_ = Step::kGap;
  return {};
}

Done Operations::on_gap(std::uint32_t number) {
  const std::uint32_t half_words = left_ / kHalfWord + left_ % kHalfWord;  // an odd byte at the end counts as one
  if (number > half_words) return tl::make_unexpected(DecodeError::kBadOperation);
  const std::uint32_t size = std::min(number * kHalfWord, left_);
  if (Done done = writer_.copy(old_, size); !done) return done;
  advance(size);
  step_ = left_ == 0 ? Step::kHead : Step::kDifference;
  return {};
}

Done Operations::on_difference(std::uint32_t number) {
  const std::uint32_t size = std::min(kHalfWord, left_);
  const auto difference = static_cast<std::uint16_t>(mv::delta::unzigzag(number));
  if (Done done = writer_.copy_changed(old_, size, difference); !done) return done;
  advance(size);
  step_ = left_ == 0 ? Step::kHead : Step::kGap;
  return {};
}

void Operations::advance(std::uint32_t size) {
  old_ += size;
  left_ -= size;
}

}  // namespace mv::update::delta
