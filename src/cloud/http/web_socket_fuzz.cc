// Feeds arbitrary bytes to the decoder of WebSocket frames, whole and byte by byte: both must give the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "cloud/http/web_socket.h"

namespace {

namespace web_socket = mv::cloud::web_socket;

std::string decode(std::string_view bytes, std::size_t piece) {
  web_socket::Decoder decoder;
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const auto done = decoder.push(bytes.substr(at, piece), [&](const web_socket::Decoder::Event& event) {
      if (event.payload.size() > web_socket::kMaxPayload) __builtin_trap();
      out += static_cast<char>(event.opcode);
      out += event.payload;
      return true;
    });
    if (!done) return out + std::to_string(done.error().close_code);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(web_socket::accept_value(bytes));
  if (!bytes.empty() && decode(bytes, 1) != decode(bytes, bytes.size())) __builtin_trap();
  return 0;
}
