// Fuzz target: a crash record that is taken can be described, and its memory lies within the address space.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "cli/crash_report.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto document = nlohmann::ordered_json::parse(text, nullptr, false);
  if (document.is_discarded()) return 0;
  const auto report = mv::cli::parse_crash_report(std::move(document));
  if (!report) return report.error().message.empty() ? std::abort(), 0 : 0;
  if (mv::gdb::describe_crash(report->crash).empty()) std::abort();
  for (const auto& memory : report->crash.memory)
    if (memory.address + std::uint64_t{memory.bytes.size()} > std::uint64_t{UINT32_MAX} + 1) std::abort();
  return 0;
}
