// Server-sent events: the text of the stream in, events out.
//
// Pure; bounded: a line or an event's data longer than the limit is an error. Source: WHATWG HTML, section 9.2.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace mv::transport {

struct ServerEvent {
  std::string id;    // last id seen so far
  std::string type;  // "message" if the server named none
  std::string data;
};

class EventParser {
 public:
  static constexpr std::size_t kMaxEvent = 1 << 20;  // bytes

  // Takes text in pieces of any size. `on_event` says whether to go on. False: stopped, by it or by a limit.
  bool push(std::string_view text, const std::function<bool(const ServerEvent&)>& on_event);

  // The connection is a new one: what was half received is forgotten; the last id stays.
  void restart();

  const std::string& last_id() const { return last_id_; }
  std::optional<std::chrono::milliseconds> retry() const { return retry_; }  // as the server asked
  bool too_long() const { return too_long_; }

 private:
  bool take_line(const std::function<bool(const ServerEvent&)>& on_event);
  void take_field(std::string_view name, std::string_view value);

  std::string line_;
  std::string type_;
  std::string data_;
  bool has_data_ = false;
  bool after_return_ = false;
  bool too_long_ = false;
  std::string last_id_;
  std::optional<std::chrono::milliseconds> retry_;
};

}  // namespace mv::transport
