// The messages do not depend on how the bytes are cut into pieces, and framing them again gives the same bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "gdbserver/target/message_stream.h"

namespace {

using Messages = std::vector<std::vector<std::uint8_t>>;

void take_all(mv::gdb::MessageStream& stream, Messages& messages) {
  while (auto message = stream.next()) messages.push_back(std::move(*message));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Messages whole;
  mv::gdb::MessageStream at_once;
  at_once.push({data, size});
  take_all(at_once, whole);

  Messages pieces;
  mv::gdb::MessageStream byte_by_byte;
  for (std::size_t i = 0; i < size; ++i) {
    byte_by_byte.push({data + i, 1});
    take_all(byte_by_byte, pieces);
  }
  if (whole != pieces) std::abort();

  std::size_t at = 0;
  for (const auto& message : whole) {
    const auto framed = mv::gdb::frame_message({reinterpret_cast<const char*>(message.data()), message.size()});
    if (framed.size() > size - at || !std::equal(framed.begin(), framed.end(), data + at)) std::abort();
    at += framed.size();
  }
  return 0;
}
