// What the cloud asks of a microvisor image before it is stored: that its header is one, and fits what follows it.
//
// Whether it is signed with the key of a device's boot ROM only the device can tell: the cloud has no such key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cloud/text.h"

namespace mv::cloud {

struct MicrovisorImage {
  std::uint32_t version = 0;  // major << 24 | minor << 16 | patch
  std::string board;
};

// Bytes of a file that a device has room for.
inline constexpr std::size_t kMaxMicrovisorImage = 512 * 1024;

// Errors: a sentence that says what is wrong with the file and what to do.
Result<MicrovisorImage> check_microvisor_image(std::string_view file);

// "1.2.3"
std::string microvisor_version_text(std::uint32_t version);

}  // namespace mv::cloud
