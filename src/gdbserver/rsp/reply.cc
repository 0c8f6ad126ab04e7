#include "gdbserver/rsp/reply.h"

#include "gdbserver/rsp/hex.h"

namespace mv::rsp {

std::string error(std::uint8_t number) {
  std::string out = "E";
  append_hex_byte(out, number);
  return out;
}

std::string error_text(std::string_view text) {
  std::string out = "E.";
  for (const char c : text) out += (c >= 0x20 && c <= 0x7e) ? c : ' ';
  return out;
}

std::string console(std::string_view text) { return "O" + to_hex(text); }

std::string transfer(std::string_view document, std::uint32_t offset, std::uint32_t length) {
  if (offset >= document.size()) return "l";
  const auto slice = document.substr(offset, length);
  const bool last = offset + slice.size() == document.size();
  return (last ? "l" : "m") + std::string(slice);
}

std::string binary_memory(std::span<const std::uint8_t> bytes) {
  std::string out = "b";
  out.append(bytes.begin(), bytes.end());
  return out;
}

std::uint32_t gdb_crc32(std::span<const std::uint8_t> bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const std::uint8_t byte : bytes) {
    crc ^= static_cast<std::uint32_t>(byte) << 24;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x80000000U) != 0 ? crc << 1 ^ 0x04c11db7U : crc << 1;
  }
  return crc;
}

}  // namespace mv::rsp
