// Feeds arbitrary bytes to the HTTP parser as a connection does.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "cloud/http/http_parser.h"

namespace {

struct Checker final : mv::cloud::HttpParserEvents {
  bool on_request(mv::cloud::HttpRequest request, bool) override {
    if (request.path.empty() || request.path[0] != '/' || !mv::cloud::is_utf8(request.path)) __builtin_trap();
    return true;
  }
  bool on_body(std::string_view) override { return true; }
  void on_complete() override {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Checker checker;
  mv::cloud::HttpParser parser(checker);
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::string input;
  while (!rest.empty()) {
    const std::size_t piece = 1 + static_cast<std::uint8_t>(rest[0]) % 97;
    input += rest.substr(0, piece);
    rest.remove_prefix(std::min(piece, rest.size()));
    while (!input.empty()) {
      const auto used = parser.parse(input);
      if (!used) return 0;
      if (*used > input.size()) __builtin_trap();
      if (*used == 0) break;
      input.erase(0, *used);
    }
  }
  return 0;
}
