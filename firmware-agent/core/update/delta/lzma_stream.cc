#include "core/update/delta/lzma_stream.h"

#include <algorithm>
#include <type_traits>

namespace mv::update::delta {
namespace {

// The SDK asks for its probabilities through this; what it gets is the stream's own array.
struct FixedMemory {
  ISzAlloc vtable;
  void* memory;
  std::size_t size;

  static void* allocate(ISzAllocPtr self, std::size_t size) {
    const auto* fixed = reinterpret_cast<const FixedMemory*>(self);
    return size <= fixed->size ? fixed->memory : nullptr;
  }
  static void free(ISzAllocPtr, void*) {}
};
static_assert(std::is_standard_layout_v<FixedMemory>, "the vtable is the first member");

constexpr std::array<Byte, LZMA_PROPS_SIZE> kProperties = {
    (mv::delta::kPositionBits * 5 + mv::delta::kLiteralPositionBits) * 9 + mv::delta::kLiteralContextBits,
    mv::delta::kDictionarySize & 0xFF, (mv::delta::kDictionarySize >> 8) & 0xFF};

}  // namespace

LzmaStream::LzmaStream() {
  LzmaDec_Construct(&decoder_);
  const FixedMemory memory = {{FixedMemory::allocate, FixedMemory::free}, probabilities_.data(), sizeof probabilities_};
  // Cannot fail: the properties are constant and the memory is what they need (a test decodes with it).
  (void)LzmaDec_AllocateProbs(&decoder_, kProperties.data(), kProperties.size(), &memory.vtable);
  decoder_.dic = dictionary_.data();
  decoder_.dicBufSize = dictionary_.size();
}

void LzmaStream::begin(std::uint32_t packed, std::uint32_t plain) {
  packed_left_ = packed;
  plain_left_ = plain;
  decoder_.dicPos = 0;
  LzmaDec_Init(&decoder_);
}

tl::expected<std::span<const std::uint8_t>, LzmaStream::Error> LzmaStream::next(std::span<const std::uint8_t>& input) {
  if (decoder_.dicPos == decoder_.dicBufSize) decoder_.dicPos = 0;
  const std::size_t from = decoder_.dicPos;
  const std::size_t room = decoder_.dicBufSize - from;
  const bool last = plain_left_ <= room;
  const std::size_t limit = from + (last ? plain_left_ : room);

  SizeT taken = std::min<std::size_t>(input.size(), packed_left_);
  ELzmaStatus status = LZMA_STATUS_NOT_SPECIFIED;
  const SRes result =
      LzmaDec_DecodeToDic(&decoder_, limit, input.data(), &taken, last ? LZMA_FINISH_END : LZMA_FINISH_ANY, &status);
  input = input.subspan(taken);
  packed_left_ -= static_cast<std::uint32_t>(taken);
  const std::size_t made = decoder_.dicPos - from;
  plain_left_ -= static_cast<std::uint32_t>(made);

  if (result != SZ_OK || status == LZMA_STATUS_FINISHED_WITH_MARK) return tl::make_unexpected(Error::kDamaged);
  if (plain_left_ == 0) {
    // A stream without an end marker ends when the range coder's code is zero; the SDK has then read all of it.
    if (status != LZMA_STATUS_MAYBE_FINISHED_WITHOUT_MARK) return tl::make_unexpected(Error::kDamaged);
    if (packed_left_ > 0) return tl::make_unexpected(Error::kTrailing);
  } else if (packed_left_ == 0 && status == LZMA_STATUS_NEEDS_MORE_INPUT) {
    return tl::make_unexpected(Error::kTooShort);
  }
  return std::span<const std::uint8_t>(dictionary_).subspan(from, made);
}

}  // namespace mv::update::delta
