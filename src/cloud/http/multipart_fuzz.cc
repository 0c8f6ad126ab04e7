// Feeds arbitrary bytes, in arbitrary pieces, to the multipart parser, and arbitrary Content-Types to its boundary.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "cloud/http/multipart.h"

namespace {

using mv::cloud::MultipartParser;
using mv::cloud::Result;

// All that came out, with the last word, for pieces of this size.
std::string parse(std::string_view body, std::size_t piece) {
  std::string out;
  MultipartParser parser(
      "XX",
      [&](const std::string& name) -> Result<void> {
        out += "<" + name + ">";
        return {};
      },
      [&](std::string_view data) -> Result<void> {
        out += data;
        return {};
      });
  for (std::size_t at = 0; at < body.size(); at += piece) {
    if (!parser.push(body.substr(at, piece))) return "refused";
  }
  return out + (parser.complete() ? "." : "...");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto boundary = MultipartParser::boundary_of(bytes);
  if (boundary && (boundary->empty() || boundary->size() > 70)) __builtin_trap();
  if (bytes.empty() || bytes.size() > 4000) return 0;  // below the limit of headers, which depends on the pieces
  const std::size_t piece = 1 + static_cast<std::uint8_t>(bytes[0]) % 64;
  if (parse(bytes.substr(1), piece) != parse(bytes.substr(1), bytes.size())) __builtin_trap();
  return 0;
}
