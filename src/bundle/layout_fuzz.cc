// Any text as a linker's map: refused, or a layout in which no two sections share a byte.
#include <cstddef>
#include <cstdint>

#include "bundle/layout.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mv::bundle;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view half = text.substr(0, size / 2);
  const auto before = LinkMap::parse(half), now = LinkMap::parse(text);
  if (!before || !now) return 0;
  const Layout layout = make_layout(*before, *now);
  if (layout.kept + layout.moved + layout.added > now->sections.size()) __builtin_trap();
  return 0;
}
