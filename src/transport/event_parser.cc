#include "transport/event_parser.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

namespace mv::transport {
namespace {

// A server may not make us wait for ever.
constexpr std::uint32_t kMaxRetryMs = 60'000;

}  // namespace

bool EventParser::push(std::string_view text, const std::function<bool(const ServerEvent&)>& on_event) {
  for (const char c : text) {
    // CR, LF and CR LF all end a line.
    const bool second_half = std::exchange(after_return_, c == '\r') && c == '\n';
    if (second_half) continue;
    if (c != '\r' && c != '\n') {
      too_long_ = line_.size() + data_.size() >= kMaxEvent;
      if (too_long_) return false;
      line_.push_back(c);
    } else if (!take_line(on_event)) {
      return false;
    }
  }
  return true;
}

void EventParser::restart() {
  line_.clear();
  type_.clear();
  data_.clear();
  has_data_ = false;
  after_return_ = false;
}

bool EventParser::take_line(const std::function<bool(const ServerEvent&)>& on_event) {
  const std::string line = std::exchange(line_, {});
  if (line.empty()) {
    ServerEvent event{last_id_, std::exchange(type_, {}), std::exchange(data_, {})};
    if (!std::exchange(has_data_, false)) return true;
    if (event.type.empty()) event.type = "message";
    return on_event(event);
  }
  const std::size_t colon = line.find(':');
  std::string_view value;
  if (colon != std::string::npos) value = std::string_view(line).substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  take_field(std::string_view(line).substr(0, colon), value);
  return true;
}

void EventParser::take_field(std::string_view name, std::string_view value) {
  if (name == "data") {
    if (has_data_) data_.push_back('\n');
    has_data_ = true;
    data_.append(value);
  } else if (name == "event") {
    type_ = value;
  } else if (name == "id" && value.find('\0') == std::string_view::npos) {
    last_id_ = value;
  } else if (name == "retry") {
    std::uint32_t ms = 0;
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), ms);
    if (parsed.ec == std::errc() && parsed.ptr == value.data() + value.size()) {
      retry_ = std::chrono::milliseconds(std::min(ms, kMaxRetryMs));
    }
  }
}

}  // namespace mv::transport
