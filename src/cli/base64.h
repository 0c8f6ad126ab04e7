// Base64 (RFC 4648, section 4), by OpenSSL.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mv::cli {

std::string encode_base64(std::string_view bytes);

// Nothing if it is not base64.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace mv::cli
