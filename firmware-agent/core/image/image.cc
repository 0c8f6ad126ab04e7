#include "core/image/image.h"

#include <algorithm>
#include <cstring>

namespace mv::image {
namespace {

bool signature_is_good(const Header& header, Crypto& crypto) {
  Digest digest;
  crypto.begin();
  crypto.add({reinterpret_cast<const std::uint8_t*>(&header), kSignedHeaderSize});
  return crypto.finish(digest) && crypto.verify(digest, header.signature);
}

bool hash_is_good(Flash& flash, flash_map::Area place, const Header& header, Crypto& crypto) {
  Digest digest;
  return hash_flash(flash, place.offset + sizeof(Header), header.length, crypto, digest) && digest == header.sha256;
}

bool is_for(const Header& header, const char* board) {
  const std::size_t size = std::strlen(board);
  return size <= header.board.size() && std::equal(board, board + size, header.board.begin()) &&
         std::all_of(header.board.begin() + size, header.board.end(), [](char each) { return each == '\0'; });
}

}  // namespace

const char* describe(ImageError error) {
  switch (error) {
    case ImageError::kNoImage:
      return "there is no microvisor image: write microvisor.bin there";
    case ImageError::kUnknownHeader:
      return "the microvisor image has a header version that this boot ROM does not know: use the boot ROM of its "
             "build";
    case ImageError::kBadSignature:
      return "the microvisor image is not signed by this boot ROM's key: use boot ROM and image of one build";
    case ImageError::kBadLength:
      return "the microvisor image is empty or longer than its place: write microvisor.bin again";
    case ImageError::kWrongBoard:
      return "the microvisor image was built for another board: use the one built for this board";
    case ImageError::kBadLoadAddress:
      return "the microvisor image was linked for another address: use the one built for this board";
    case ImageError::kBadHash:
      return "the microvisor image is damaged: write microvisor.bin again";
    case ImageError::kTooOld:
      return "the microvisor image is older than one that was confirmed on this device: use a newer one";
  }
  return "unknown error";
}

bool hash_flash(Flash& flash, std::uint32_t offset, std::uint32_t size, Crypto& crypto, Digest& out) {
  std::array<std::uint8_t, 256> piece;
  bool read = true;
  crypto.begin();
  while (read && size != 0) {
    const auto part = std::span(piece).first(std::min<std::uint32_t>(size, piece.size()));
    read = flash.read(offset, part) == Flash::Result::kOk;
    if (read) crypto.add(part);
    offset += static_cast<std::uint32_t>(part.size());
    size -= static_cast<std::uint32_t>(part.size());
  }
  return crypto.finish(out) && read;
}

tl::expected<Header, ImageError> read_header(Flash& flash, flash_map::Area place) {
  Header header;
  const std::span bytes(reinterpret_cast<std::uint8_t*>(&header), sizeof(header));
  if (place.size < sizeof(header) || flash.read(place.offset, bytes) != Flash::Result::kOk) {
    return tl::make_unexpected(ImageError::kNoImage);
  }
  if (header.magic != kMagic) return tl::make_unexpected(ImageError::kNoImage);
  if (header.header_version != kHeaderVersion) return tl::make_unexpected(ImageError::kUnknownHeader);
  return header;
}

tl::expected<Header, ImageError> check_image(Flash& flash, flash_map::Area place, const Target& target,
                                             Crypto& crypto) {
  const auto header = read_header(flash, place);
  if (!header) return header;
  if (!signature_is_good(*header, crypto)) return tl::make_unexpected(ImageError::kBadSignature);
  const std::size_t room = std::min<std::size_t>(place.size - sizeof(Header), target.room);
  if (header->length < 8 || header->length > room) return tl::make_unexpected(ImageError::kBadLength);
  if (!is_for(*header, target.board)) return tl::make_unexpected(ImageError::kWrongBoard);
  if (header->load_address != target.load_address) return tl::make_unexpected(ImageError::kBadLoadAddress);
  if (!hash_is_good(flash, place, *header, crypto)) return tl::make_unexpected(ImageError::kBadHash);
  return header;
}

bool hash_file(Flash& flash, flash_map::Area place, Crypto& crypto, Digest& out) {
  const auto header = read_header(flash, place);
  if (!header || header->length > place.size - sizeof(Header)) return false;
  return hash_flash(flash, place.offset, static_cast<std::uint32_t>(sizeof(Header) + header->length), crypto, out);
}

VersionText version_text(std::uint32_t version) {
  VersionText text{};
  std::size_t at = 0;
  const auto put = [&](std::uint32_t number) {
    std::uint32_t divisor = 10000;
    while (divisor > 1 && number / divisor == 0) divisor /= 10;
    for (; divisor != 0; divisor /= 10) text[at++] = static_cast<char>('0' + number / divisor % 10);
  };
  put(version >> 24U);
  text[at++] = '.';
  put(version >> 16U & 0xFFU);
  text[at++] = '.';
  put(version & 0xFFFFU);
  return text;
}

}  // namespace mv::image
