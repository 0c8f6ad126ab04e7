#include "core/update/delta/segment_decoder.h"

#include <algorithm>

namespace mv::update::delta {

using mv::delta::Kind;

namespace {

DecodeError meaning(LzmaStream::Error error) {
  switch (error) {
    case LzmaStream::Error::kTooShort:
      return DecodeError::kTooShort;
    case LzmaStream::Error::kTrailing:
      return DecodeError::kTrailing;
    case LzmaStream::Error::kDamaged:
      break;
  }
  return DecodeError::kBadPayload;
}

}  // namespace

void SegmentDecoder::begin(std::uint32_t place, std::uint32_t size) {
  step_ = size >= 1 && size <= mv::delta::kSegmentSize ? Step::kKind : Step::kFailed;
  place_ = place;
  size_ = size;
  varint_.reset();
  writer_.begin(size);
  operations_.begin(place);
}

tl::expected<std::size_t, DecodeError> SegmentDecoder::push(std::span<const std::uint8_t> input) {
  const std::size_t offered = input.size();
  while (!input.empty() && step_ != Step::kDone) {
    if (Done done = take(input); !done) {
      step_ = Step::kFailed;
      return tl::make_unexpected(done.error());
    }
  }
  return offered - input.size();
}

Done SegmentDecoder::take(std::span<const std::uint8_t>& input) {
  if (step_ == Step::kFailed) return tl::make_unexpected(DecodeError::kBadSize);
  if (step_ == Step::kPayload) return on_payload(input);
  const std::uint8_t byte = input.front();
  input = input.subspan(1);
  if (step_ == Step::kKind) return on_kind(byte);
  switch (varint_.push(byte)) {
    case VarintReader::State::kMore:
      return {};
    case VarintReader::State::kDone:
      return on_number(varint_.value());
    case VarintReader::State::kTooLong:
      break;
  }
  return tl::make_unexpected(DecodeError::kBadHeader);
}

Done SegmentDecoder::on_kind(std::uint8_t byte) {
  const std::uint8_t kind = byte & 0x0F;
  if (byte >> 4 != mv::delta::kVersion || kind > static_cast<std::uint8_t>(Kind::kStored)) {
    return tl::make_unexpected(DecodeError::kBadHeader);
  }
  kind_ = static_cast<Kind>(kind);
  step_ = Step::kSize;
  return {};
}

Done SegmentDecoder::on_number(std::uint32_t number) {
  switch (step_) {
    case Step::kSize:
      return on_size(number);
    case Step::kFrom:
      return copy(number);
    case Step::kPlain:
      if (number == 0 || number > mv::delta::max_operations(size_)) return tl::make_unexpected(DecodeError::kBadSize);
      plain_ = number;
      step_ = Step::kPacked;
      return {};
    default:
      return on_payload_size(number);
  }
}

Done SegmentDecoder::on_size(std::uint32_t number) {
  if (number != size_) return tl::make_unexpected(DecodeError::kBadSize);
  plain_ = size_;
  switch (kind_) {
    case Kind::kSame:
      return copy(place_);
    case Kind::kCopy:
      step_ = Step::kFrom;
      break;
    case Kind::kDelta:
      step_ = Step::kPlain;
      break;
    case Kind::kCompressed:
      step_ = Step::kPacked;
      break;
    case Kind::kStored:
      step_ = Step::kPayload;
      break;
  }
  return {};
}

// A payload that is not smaller than the segment makes no sense: it would have been sent stored.
Done SegmentDecoder::on_payload_size(std::uint32_t number) {
  if (number == 0 || number > size_) return tl::make_unexpected(DecodeError::kBadSize);
  lzma_.begin(number, plain_);
  step_ = Step::kPayload;
  return {};
}

Done SegmentDecoder::on_payload(std::span<const std::uint8_t>& input) {
  if (kind_ != Kind::kStored) return on_packed(input);
  const auto part = input.first(std::min<std::size_t>(input.size(), writer_.left()));
  input = input.subspan(part.size());
  if (Done done = writer_.write(part); !done) return done;
  return writer_.left() == 0 ? finish() : Done{};
}

Done SegmentDecoder::on_packed(std::span<const std::uint8_t>& input) {
  for (;;) {
    const auto bytes = lzma_.next(input);
    if (!bytes) return tl::make_unexpected(meaning(bytes.error()));
    if (Done done = kind_ == Kind::kDelta ? operations_.push(*bytes) : writer_.write(*bytes); !done) return done;
    if (lzma_.at_end()) return finish();
    if (bytes->empty()) return {};
  }
}

Done SegmentDecoder::copy(std::uint32_t from) {
  if (Done done = writer_.copy(from, size_); !done) return done;
  return finish();
}

Done SegmentDecoder::finish() {
  if (writer_.left() > 0 || !operations_.idle()) return tl::make_unexpected(DecodeError::kTooShort);
  if (Done done = writer_.flush(); !done) return done;
  step_ = Step::kDone;
  return {};
}

}  // namespace mv::update::delta
