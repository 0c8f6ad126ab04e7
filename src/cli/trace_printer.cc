#include "cli/trace_printer.h"

#include <charconv>
#include <cmath>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace mv::cli {
namespace {

using nlohmann::ordered_json;

template <class Number>
bool is_whole(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

ordered_json json_entry(const std::string& expression, const TraceValue& value) {
  ordered_json entry = {{"expression", expression}};
  value.problem.empty() ? entry["value"] = json_value(value.text) : entry["problem"] = value.problem;
  return entry;
}

}  // namespace

// A char is "97 'a'".
ordered_json json_value(const std::string& gdb_text) {
  std::string_view text = gdb_text;
  if (text.ends_with('\'')) text = text.substr(0, text.find(" '"));
  std::int64_t negative = 0;
  std::uint64_t positive = 0;
  double real = 0;
  if (is_whole(text, positive)) return positive;
  if (is_whole(text, negative)) return negative;
  if (gdb_text == "true" || gdb_text == "false") return gdb_text == "true";
  if (is_whole(text, real) && std::isfinite(real)) return real;
  return gdb_text;
}

void print_hit(Output& output, const gdb::TraceHit& hit, const std::vector<std::string>& expressions,
               const std::vector<TraceValue>& values) {
  ordered_json entries = ordered_json::array();
  std::string line = fmt::format("+{}.{:06} s", hit.time_us / 1'000'000, hit.time_us % 1'000'000);
  for (std::size_t i = 0; i < values.size(); ++i) {
    entries.push_back(json_entry(expressions[i], values[i]));
    line += fmt::format("  {} = {}", expressions[i],
                        values[i].problem.empty() ? values[i].text : "<" + values[i].problem + ">");
  }
  output.record({{"hit", hit.number}, {"uptime_us", hit.time_us}, {"address", hit.address}, {"values", entries}},
                printable(line));
}

void print_lost(Output& output, std::uint64_t count, const std::string& why) {
  const std::string text = fmt::format("{} {} lost: {}", count, count == 1 ? "hit was" : "hits were", why);
  if (output.json()) return output.record({{"lost", count}, {"why", why}}, text);
  output.warning(text);
}

}  // namespace mv::cli
