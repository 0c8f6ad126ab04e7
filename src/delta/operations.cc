#include "delta/operations.h"

#include <algorithm>

#include "wire/delta_format.h"

namespace mv::delta {
namespace {

using Bytes = std::span<const std::uint8_t>;
using Out = std::vector<std::uint8_t>;

// Old bytes cost their head, seek and gap: fewer than these are cheaper as new ones.
constexpr std::uint32_t kShortest = 5;

// Gives `piece`'s first byte to the piece before it.
void lend_first_byte(std::vector<Piece>& done, Piece& piece, std::size_t old_size) {
  Piece* before = done.empty() ? nullptr : &done.back();
  if (before == nullptr || (before->from_old && before->old_place + before->size >= old_size)) {
    done.push_back({piece.place, 1, false, 0});
  } else {
    before->size += 1;
  }
  piece.place += 1;
  piece.old_place += 1;
  piece.size -= 1;
}

// Makes the pieces cheap to write: old ones begin at even places, as instructions and addresses do, so that edits meet
// whole half-words; short ones become new bytes; new ones are joined.
std::vector<Piece> tidy(const std::vector<Piece>& pieces, std::size_t old_size) {
  std::vector<Piece> done;
  for (Piece piece : pieces) {
    if (piece.from_old && piece.place % 2 != 0) lend_first_byte(done, piece, old_size);
    if (piece.size < kShortest) piece.from_old = false, piece.old_place = 0;
    if (piece.size == 0) continue;
    if (!piece.from_old && !done.empty() && !done.back().from_old) {
      done.back().size += piece.size;
    } else {
      done.push_back(piece);
    }
  }
  return done;
}

std::uint16_t half_word(Bytes bytes, std::size_t at, std::size_t size) {
  return static_cast<std::uint16_t>(bytes[at] | (size > 1 ? bytes[at + 1] << 8 : 0));
}

void put_edits(Out& out, Bytes old, Bytes wanted) {
  std::uint32_t gap = 0;
  for (std::size_t at = 0; at < wanted.size(); at += 2) {
    const std::size_t size = std::min<std::size_t>(2, wanted.size() - at);
    // Of a last odd byte the low eight bits count; as a signed byte the difference is shortest.
    const int difference = half_word(wanted, at, size) - half_word(old, at, size);
    if (difference == 0) {
      ++gap;
      continue;
    }
    put_varint(out, gap);
    put_varint(out, zigzag(size > 1 ? static_cast<std::int16_t>(difference) : static_cast<std::int8_t>(difference)));
    gap = 0;
  }
  if (gap > 0) put_varint(out, gap);
}

}  // namespace

void put_varint(Out& out, std::uint32_t number) {
  for (; number >= 0x80; number >>= 7) out.push_back(static_cast<std::uint8_t>(number | 0x80));
  out.push_back(static_cast<std::uint8_t>(number));
}

std::vector<Piece> cut(std::span<const Piece> whole, std::uint32_t place, std::uint32_t size) {
  std::vector<Piece> pieces;
  for (Piece piece : whole) {
    const std::uint32_t from = std::max(piece.place, place);
    const std::uint32_t to = std::min(piece.place + piece.size, place + size);
    if (from >= to) continue;
    if (piece.from_old) piece.old_place += from - piece.place;
    piece.place = from;
    piece.size = to - from;
    pieces.push_back(piece);
  }
  return pieces;
}

Out operations(std::vector<Piece> pieces, Bytes old, Bytes image) {
  Out out;
  std::uint32_t expected = pieces.empty() ? 0 : pieces.front().place;  // where the old bytes are, without a seek
  for (const Piece& piece : tidy(pieces, old.size())) {
    const Bytes wanted = image.subspan(piece.place, piece.size);
    put_varint(out, piece.size << 1 | (piece.from_old ? 0 : 1));
    if (piece.from_old) {
      put_varint(out, zigzag(static_cast<std::int32_t>(piece.old_place) - static_cast<std::int32_t>(expected)));
      put_edits(out, old.subspan(piece.old_place, piece.size), wanted);
      expected = piece.old_place + piece.size;
    } else {
      out.insert(out.end(), wanted.begin(), wanted.end());
    }
  }
  return out;
}

}  // namespace mv::delta
