// Sentences for what mbedTLS reports as numbers.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace mv::tls {

// Why a session ended. `code`: of mbedTLS; `verify_flags`: what it found wrong with the peer's certificate; `alert`:
// the last alert's description (RFC 8446 section 6), if the code says that one came. `scratch`: room for a number.
std::string_view describe(int code, std::uint32_t verify_flags, std::uint8_t alert, std::span<char> scratch);

}  // namespace mv::tls
