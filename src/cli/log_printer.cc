#include "cli/log_printer.h"

#include <array>
#include <cstdint>
#include <ctime>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "cli/cloud_client.h"
#include "cli/output.h"

namespace mv::cli {
namespace {

using nlohmann::ordered_json;

// The three digits behind the point of "2026-01-02T03:04:05.678Z"; "000" if there are none.
std::string milliseconds_of(const std::string& time) {
  const std::size_t point = time.find('.');
  std::string digits = point == std::string::npos ? std::string() : time.substr(point + 1, 3);
  while (digits.size() < 3 || digits.back() < '0' || digits.back() > '9') {
    if (digits.size() == 3) return "000";
    digits.push_back('0');
  }
  return digits;
}

std::string uptime(const ordered_json& record) {
  if (!record.is_object() || !record.contains("uptime_us") || !record["uptime_us"].is_number_unsigned()) return "-";
  return fmt::format("+{:.3f} s", static_cast<double>(record["uptime_us"].get<std::uint64_t>()) / 1e6);
}

std::string when(const ordered_json& record) {
  const std::string time = text_of(record, "time");
  std::tm utc{};
  if (time.empty() || ::strptime(time.c_str(), "%Y-%m-%dT%H:%M:%S", &utc) == nullptr) return uptime(record);
  const std::time_t seconds = ::timegm(&utc);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  std::array<char, 16> clock{};
  return std::string(clock.data(), std::strftime(clock.data(), clock.size(), "%H:%M:%S", &local)) + "." +
         milliseconds_of(time);
}

}  // namespace

std::string log_line(const ordered_json& record) {
  const std::string source = text_of(record, "source");
  const std::string who = source == "microvisor" ? "[microvisor] " : "";
  return when(record) + "  " + who + printable(text_of(record, "text"));
}

std::string event_line(const ordered_json& event) {
  std::string line = when(event);
  for (const char* key : {"device_sid", "kind", "detail"}) {
    if (const std::string value = text_of(event, key); !value.empty()) line += "  " + printable(value);
  }
  return line;
}

}  // namespace mv::cli
