// Fuzz target: the events do not depend on how the text is cut into pieces.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "transport/event_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> whole;
  std::vector<std::string> pieces;
  mv::transport::EventParser first;
  first.push(text, [&](const auto& event) { return whole.push_back(event.type + event.id + event.data), true; });
  mv::transport::EventParser second;
  for (const char c : text) {
    second.push({&c, 1}, [&](const auto& event) { return pieces.push_back(event.type + event.id + event.data), true; });
  }
  if (whole != pieces) std::abort();
  return 0;
}
