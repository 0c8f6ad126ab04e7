#include "boot/image.h"

#include <algorithm>
#include <cstring>

#include "mbedtls/platform_util.h"
#include "mbedtls/sha256.h"
#include "p256-m.h"

namespace mv::boot {
namespace {

using Digest = std::array<std::uint8_t, 32>;

bool digest_is(std::span<const std::uint8_t> bytes, const Digest& expected) {
  Digest digest;
  return mbedtls_sha256(bytes.data(), bytes.size(), digest.data(), 0) == 0 && digest == expected;
}

bool signature_is_good(const ImageHeader& header, std::span<const std::uint8_t, 64> public_key) {
  Digest digest;
  if (mbedtls_sha256(reinterpret_cast<const std::uint8_t*>(&header), kSignedHeaderSize, digest.data(), 0) != 0) {
    return false;
  }
  return p256_ecdsa_verify(header.signature.data(), public_key.data(), digest.data(), digest.size()) == P256_SUCCESS;
}

}  // namespace

const char* describe(ImageError error) {
  switch (error) {
    case ImageError::kNone:
      return "the image is good";
    case ImageError::kNoImage:
      return "no microvisor image in flash: write microvisor.bin at offset 0x800000";
    case ImageError::kUnknownHeader:
      return "the microvisor image has a header version that this boot ROM does not know: use the boot ROM of its "
             "build";
    case ImageError::kBadLength:
      return "the microvisor image is empty or longer than its place: write microvisor.bin again";
    case ImageError::kBadLoadAddress:
      return "the microvisor image was linked for another address: use the one built for this board";
    case ImageError::kBadSignature:
      return "the microvisor image is not signed by this boot ROM's key: use boot ROM and image of one build";
    case ImageError::kBadHash:
      return "the microvisor image is damaged: write microvisor.bin again";
  }
  return "unknown error";
}

ImageError check_image(std::span<const std::uint8_t> stored, const RunArea& area,
                       std::span<const std::uint8_t, 64> public_key) {
  ImageHeader header;
  if (stored.size() < sizeof(header)) return ImageError::kNoImage;
  std::memcpy(&header, stored.data(), sizeof(header));
  if (header.magic != kMagic) return ImageError::kNoImage;
  if (header.header_version != kHeaderVersion) return ImageError::kUnknownHeader;
  if (!signature_is_good(header, public_key)) return ImageError::kBadSignature;
  const std::size_t room = std::min<std::size_t>(stored.size() - sizeof(header), area.size);
  if (header.length < 8 || header.length > room) return ImageError::kBadLength;
  if (header.load_address != area.address) return ImageError::kBadLoadAddress;
  if (!digest_is(stored.subspan(sizeof(header), header.length), header.sha256)) return ImageError::kBadHash;
  return ImageError::kNone;
}

}  // namespace mv::boot

extern "C" void mbedtls_platform_zeroize(void* bytes, std::size_t size) {
  volatile auto* byte = static_cast<std::uint8_t*>(bytes);
  for (std::size_t at = 0; at < size; ++at) byte[at] = 0;
}
