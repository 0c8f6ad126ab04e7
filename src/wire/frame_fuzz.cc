// Feeds arbitrary bytes, in arbitrary pieces, to the decoder and the multiplex rules of one end of a link.
#include <cstddef>
#include <cstdint>
#include <span>

#include "wire/frame.h"
#include "wire/multiplex.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mv::frame::FrameDecoder decoder;
  mv::frame::Multiplex mux;
  std::span<const std::uint8_t> rest(data, size);
  while (!rest.empty()) {
    const std::size_t piece = 1 + rest.front() % 7;
    auto bytes = rest.first(piece < rest.size() ? piece : rest.size());
    rest = rest.subspan(bytes.size());
    while (const auto frame = decoder.next(bytes)) {
      const auto action = mux.received(*frame);
      if (!action) return 0;
      if (*action == mv::frame::Multiplex::Action::kOffered) mux.accept(frame->stream, 2048);
      if (*action == mv::frame::Multiplex::Action::kDeliver) {
        mux.consumed(frame->stream, static_cast<std::uint32_t>(frame->payload.size()));
      }
    }
  }
  return 0;
}
