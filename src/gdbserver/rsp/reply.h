// Replies as text. Framing is packet.h's; these are payloads.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mv::rsp {

inline constexpr std::string_view kOk = "OK";

// `Enn`; the numbers are GDB's own habit: errno values of Linux.
std::string error(std::uint8_t number);
inline constexpr std::uint8_t kErrorArgument = 0x16;  // EINVAL
inline constexpr std::uint8_t kErrorAddress = 0x0e;   // EFAULT

// `E.text`: GDB shows the text. Line ends and bytes above 0x7e become blanks.
std::string error_text(std::string_view text);

// `O` packet: text for the client's console. Allowed only while a resume or qRcmd is open.
std::string console(std::string_view text);

// A slice of a document as qXfer answers: `m` if more follows, `l` if it is the last.
std::string transfer(std::string_view document, std::uint32_t offset, std::uint32_t length);

// Answer to `x`: 'b' and the bytes (framing escapes them).
std::string binary_memory(std::span<const std::uint8_t> bytes);

// The CRC-32 that GDB's compare-sections wants: polynomial 0x04c11db7, first bit first, no final inversion.
std::uint32_t gdb_crc32(std::span<const std::uint8_t> bytes);

}  // namespace mv::rsp
