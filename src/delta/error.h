// Why no delta could be made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mv::delta {

inline constexpr std::size_t kMaxImage = std::size_t{64} << 20;  // bytes, old or new

enum class Error : std::uint8_t {
  kTooBig,       // an image is longer than kMaxImage
  kBadLayers,    // the layers' sizes do not add up to the new image
  kOutOfMemory,  // of the suffix sort or of liblzma
};

constexpr std::string_view describe(Error error) {
  switch (error) {
    case Error::kTooBig:
      return "an image of more than 64 MiB cannot be compared";
    case Error::kBadLayers:
      return "the layers' sizes do not add up to the image's";
    case Error::kOutOfMemory:
      return "not enough memory to compare the images";
  }
  return "unknown error";
}

}  // namespace mv::delta
