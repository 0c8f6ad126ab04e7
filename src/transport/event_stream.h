// Follows a stream of server-sent events across lost connections: Last-Event-ID, back-off.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>

#include "transport/event_parser.h"
#include "transport/http_client.h"

namespace mv::transport {

struct EventStreamOptions {
  std::string target;
  bool follow = true;                                         // false: the end of the answer is the end
  std::string last_id;                                        // begin after this event
  std::chrono::milliseconds idle = std::chrono::seconds(90);  // nothing, not even a heartbeat, for so long: reconnect
  const std::atomic<bool>* interrupted = nullptr;

  // Waits for a cloud that cannot be reached from the beginning on, too; and no longer than this between two attempts.
  bool patient = false;
  std::chrono::milliseconds longest_retry = std::chrono::seconds(15);

  // Called when something has come, be it the beginning of the answer, a heartbeat, or events, after `on_event` for
  // each of them; false ends. For a reader who takes the stream as a sign to look elsewhere.
  std::function<bool()> on_alive = nullptr;

  // Asked about ten times a second while nothing comes; false ends.
  std::function<bool()> go_on = nullptr;
};

// Calls `on_event` for each event until it returns false, the stream ends (without `follow`) or it is interrupted.
// A connection lost while following is opened again; `on_lost` is told why, once for each attempt that fails. The error
// is the first connection's: one that cannot be made (unless `patient`), or an answer that refuses (kRefused with
// status and body).
tl::expected<void, HttpError> follow_events(HttpClient& client, const EventStreamOptions& options,
                                            const std::function<bool(const ServerEvent&)>& on_event,
                                            const std::function<void(const HttpError&)>& on_lost);

}  // namespace mv::transport
