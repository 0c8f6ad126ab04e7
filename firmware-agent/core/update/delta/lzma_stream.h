// One raw LZMA1 stream at a time, unpacked as its bytes come. The LZMA SDK's decoder on memory of fixed size: no heap.
//
// 11.0 KiB, nearly all of it dictionary and probabilities.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include <LzmaDec.h>
#include <tl/expected.hpp>

#include "wire/delta_format.h"

namespace mv::update::delta {

class LzmaStream {
 public:
  enum class Error : std::uint8_t { kDamaged, kTooShort, kTrailing };

  LzmaStream();
  LzmaStream(const LzmaStream&) = delete;
  LzmaStream& operator=(const LzmaStream&) = delete;

  // A stream of `packed` bytes that unpacks to `plain` bytes.
  void begin(std::uint32_t packed, std::uint32_t plain);

  // Unpacks some of `input`, which is cut off by what was taken of it. Returns plain bytes, valid until the next call;
  // none only if all of `input` was taken and more is needed, or the stream is at its end. Never more than `plain` in
  // all.
  //
  // Errors: kDamaged (no LZMA stream of `plain` bytes), kTooShort (`packed` bytes unpack to less), kTrailing (`packed`
  // bytes are more than it takes). `begin` anew after one.
  tl::expected<std::span<const std::uint8_t>, Error> next(std::span<const std::uint8_t>& input);

  bool at_end() const { return packed_left_ == 0 && plain_left_ == 0; }

 private:
  // LzmaProps_Decode: (pb * 5 + lp) * 9 + lc.
  static constexpr std::size_t kProbabilities =
      1984 + (std::size_t{0x300} << (mv::delta::kLiteralContextBits + mv::delta::kLiteralPositionBits));

  CLzmaDec decoder_;
  std::uint32_t packed_left_ = 0;
  std::uint32_t plain_left_ = 0;
  std::array<CLzmaProb, kProbabilities> probabilities_;
  std::array<std::uint8_t, mv::delta::kDictionarySize> dictionary_;
};

}  // namespace mv::update::delta
