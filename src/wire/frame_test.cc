#include "wire/frame.h"

#include <algorithm>
#include <array>
#include <vector>

#include <gtest/gtest.h>

namespace mv::frame {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Decodes one frame from `bytes` and expects nothing to be left.
tl::expected<Frame, FrameError> decode_all(FrameDecoder& decoder, const Bytes& bytes) {
  std::span<const std::uint8_t> rest(bytes);
  return decoder.next(rest);
}

TEST(Frame, IsTypeStreamLengthPayload) {
  std::array<std::uint8_t, 16> out{};
  const Bytes payload = {0xAA, 0xBB};

  const auto bytes = encode(out, Type::kData, Stream::kDebug, payload);

  EXPECT_EQ(Bytes(bytes.begin(), bytes.end()), (Bytes{2, 3, 0, 2, 0xAA, 0xBB}));
}

TEST(FrameDecoder, DecodesWhatWasEncodedWhateverThePieces) {
  const Bytes bytes = {2, 3, 0, 3, 'a', 'b', 'c', 5, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    FrameDecoder decoder;
    std::vector<std::pair<Type, Bytes>> frames;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      auto rest = std::span(bytes).subspan(at, std::min(piece, bytes.size() - at));
      while (auto frame = decoder.next(rest)) {
        frames.emplace_back(frame->type, Bytes(frame->payload.begin(), frame->payload.end()));
      }
    }
    ASSERT_EQ(frames.size(), 2U) << "pieces of " << piece;
    EXPECT_EQ(frames[0], (std::pair{Type::kData, Bytes{'a', 'b', 'c'}}));
    EXPECT_EQ(frames[1], (std::pair{Type::kPing, Bytes{1, 2, 3, 4, 5, 6, 7, 8}}));
  }
}

TEST(FrameDecoder, WaitsForTheRestOfATruncatedFrame) {
  FrameDecoder decoder;
  EXPECT_EQ(decode_all(decoder, {2, 0, 0, 5, 'x'}).error(), FrameError::kIncomplete);
  EXPECT_EQ(decode_all(decoder, {'y'}).error(), FrameError::kIncomplete);
}

TEST(FrameDecoder, RefusesALengthAboveTheLimit) {
  FrameDecoder decoder;
  EXPECT_EQ(decode_all(decoder, {2, 0, 0xFF, 0xFF}).error(), FrameError::kTooLong);
}

TEST(FrameDecoder, RefusesALengthThatTheTypeDoesNotAllow) {
  FrameDecoder decoder;
  EXPECT_EQ(decode_all(decoder, {3, 0, 0, 3}).error(), FrameError::kTooLong);
}

TEST(FrameDecoder, RefusesUnknownTypesAndStreams) {
  FrameDecoder first;
  EXPECT_EQ(decode_all(first, {9, 0, 0, 0}).error(), FrameError::kUnknownType);
  FrameDecoder second;
  EXPECT_EQ(decode_all(second, {2, 20, 0, 0}).error(), FrameError::kUnknownStream);
}

TEST(FrameDecoder, StaysInErrorOnceTheLinkIsUnusable) {
  FrameDecoder decoder;
  EXPECT_EQ(decode_all(decoder, {9, 0, 0, 0}).error(), FrameError::kUnknownType);
  EXPECT_EQ(decode_all(decoder, {2, 0, 0, 0}).error(), FrameError::kUnknownType);
}

}  // namespace
}  // namespace mv::frame
