// The signed microvisor image as it lies in flash: a header, its signature, then the image itself.
//
// `boot/sign_image.py` writes it, the boot ROM reads it. All numbers are little-endian.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace mv::boot {

inline constexpr std::uint32_t kMagic = 0x4d49564d;  // "MVIM"
inline constexpr std::uint32_t kHeaderVersion = 1;

struct ImageHeader {
  std::uint32_t magic;
  std::uint32_t header_version;
  std::uint32_t length;        // bytes of the image, header not counted
  std::uint32_t load_address;  // where it runs; its vector table stands there
  std::uint32_t version;       // major << 24 | minor << 16 | patch
  std::array<std::uint32_t, 3> reserved;
  std::array<std::uint8_t, 32> sha256;  // of the image
  // ECDSA P-256 over the SHA-256 of all fields above: r and s, 32 bytes each, big-endian.
  std::array<std::uint8_t, 64> signature;
};
static_assert(sizeof(ImageHeader) == 128);

inline constexpr std::size_t kSignedHeaderSize = offsetof(ImageHeader, signature);

// Where an image may be loaded to.
struct RunArea {
  std::uint32_t address;
  std::uint32_t size;  // bytes
};

enum class ImageError : std::uint8_t {
  kNone,
  kNoImage,
  kUnknownHeader,
  kBadLength,
  kBadLoadAddress,
  kBadSignature,
  kBadHash,
};

// A sentence for each error: what is wrong and what to do.
const char* describe(ImageError error);

// Checks header, signature and hash of the image that starts at `stored`; `public_key` is x and y, big-endian.
// Trusts no field of the header before the signature over it is verified.
ImageError check_image(std::span<const std::uint8_t> stored, const RunArea& area,
                       std::span<const std::uint8_t, 64> public_key);

}  // namespace mv::boot
