// Fuzz target: whatever a board says, a report is either refused with a sentence or counts what it announced.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "usb/selftest_report.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using mv::usb::SelftestItem;
  std::uint32_t begun = 0, ended = 0, announced = 0;
  mv::usb::SelftestReport report({[&](const auto& start) { announced = start.items; },
                                  [&](const SelftestItem& item) {
                                    ++begun;
                                    if (item.number == 0) std::abort();
                                  },
                                  [&](const SelftestItem&) { ++ended; }});
  // In pieces, as a serial line brings them: the first byte says how long.
  const std::size_t piece = size == 0 ? 1 : data[0] % 64U + 1;
  for (std::size_t at = 1; at < size; at += piece) {
    const auto over = report.take({data + at, std::min(piece, size - at)});
    if (!over) return over.error().text.empty() ? std::abort(), 0 : 0;
    if (begun > announced || ended > begun || begun > ended + 1) std::abort();
    if (*over) return report.counts().all() == announced && ended == announced ? 0 : (std::abort(), 0);
  }
  return 0;
}
