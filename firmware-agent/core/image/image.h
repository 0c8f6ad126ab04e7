// The signed microvisor image as it lies in flash: a header, its signature, then the image itself.
//
// `boot/sign_image.py` writes it; the boot ROM checks it before each start, the microvisor before it trusts an update.
// Both use `check_image`, so what the one accepts the other does. All numbers are little-endian.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <tl/expected.hpp>

#include "core/platform/flash_map.h"
#include "core/platform/ports.h"

namespace mv::image {

inline constexpr std::uint32_t kMagic = 0x4d49564d;  // "MVIM"
inline constexpr std::uint32_t kHeaderVersion = 2;

using Digest = std::array<std::uint8_t, 32>;

struct Header {
  std::uint32_t magic;
  std::uint32_t header_version;
  std::uint32_t length;        // bytes of the image, header not counted
  std::uint32_t load_address;  // where it runs; its vector table stands there
  std::uint32_t version;       // major << 24 | minor << 16 | patch
  std::array<char, 12> board;  // its name, filled up with NUL
  Digest sha256;               // of the image
  // ECDSA P-256 over the SHA-256 of all fields above: r and s, 32 bytes each, big-endian.
  std::array<std::uint8_t, 64> signature;
};
static_assert(sizeof(Header) == 128);

inline constexpr std::size_t kSignedHeaderSize = offsetof(Header, signature);

// What an image must be made for.
struct Target {
  const char* board;
  std::uint32_t load_address;
  std::uint32_t room;  // bytes there
};

enum class ImageError : std::uint8_t {
  kNoImage,
  kUnknownHeader,
  kBadSignature,
  kBadLength,
  kWrongBoard,
  kBadLoadAddress,
  kBadHash,
  kTooOld,  // only of `choose`: below the lowest version that may start
};

// A sentence for each error: what is wrong and what to do.
const char* describe(ImageError error);

// The computations that an image is judged by. The boot ROM and the microvisor have different crypto libraries.
class Crypto {
 public:
  // SHA-256 of what is added after `begin`. `finish` is false if it could not be computed.
  virtual void begin() = 0;
  virtual void add(std::span<const std::uint8_t> bytes) = 0;
  virtual bool finish(Digest& out) = 0;

  // ECDSA P-256 with the key whose images this device starts; `signature` is r || s.
  virtual bool verify(const Digest& digest, std::span<const std::uint8_t, 64> signature) = 0;

 protected:
  ~Crypto() = default;
};

// Checks header, signature and hash of the image that begins at `place`, which is all that it may take. Trusts no field
// of the header before the signature over it is verified.
tl::expected<Header, ImageError> check_image(Flash& flash, flash_map::Area place, const Target& target, Crypto& crypto);

// The header's fields, unchecked; none if there is no image.
tl::expected<Header, ImageError> read_header(Flash& flash, flash_map::Area place);

// SHA-256 of `size` bytes of flash from `offset` on. False if they cannot be read.
bool hash_flash(Flash& flash, std::uint32_t offset, std::uint32_t size, Crypto& crypto, Digest& out);

// SHA-256 of header and image, which is the hash of the file that `boot/sign_image.py` wrote. False if the place holds
// no image of a plausible length, or cannot be read.
bool hash_file(Flash& flash, flash_map::Area place, Crypto& crypto, Digest& out);

// "1.2.3", NUL-terminated.
using VersionText = std::array<char, 14>;
VersionText version_text(std::uint32_t version);

}  // namespace mv::image
