// Whatever bytes a client sends, the decoder and the parser stay within their bounds.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gdbserver/rsp/command.h"
#include "gdbserver/rsp/packet.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  mv::rsp::PacketDecoder decoder;
  auto rest = input;
  while (auto found = decoder.next(rest)) {
    if (found->payload.size() > mv::rsp::kMaxPayload) std::abort();
    mv::rsp::parse_command(found->payload);
  }
  if (!rest.empty()) std::abort();
  mv::rsp::parse_command(input);

  // What we frame, we can read.
  if (size <= mv::rsp::kMaxPayload) {
    const auto framed = mv::rsp::encode_packet(input);
    std::string_view bytes = framed;
    const auto back = mv::rsp::PacketDecoder().next(bytes);
    if (!back || back->kind != mv::rsp::Input::Kind::kPacket || back->payload != input) std::abort();
  }
  return 0;
}
