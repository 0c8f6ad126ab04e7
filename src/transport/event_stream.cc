#include "transport/event_stream.h"

#include <algorithm>
#include <thread>

namespace mv::transport {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstRetry = milliseconds(500);

bool is_interrupted(const EventStreamOptions& options) {
  return (options.interrupted != nullptr && options.interrupted->load()) || (options.go_on && !options.go_on());
}

// Waits before the next attempt, in small steps because an interrupt must be noticed.
void wait(milliseconds time, const EventStreamOptions& options) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!is_interrupted(options) && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::min(milliseconds(100), time));
  }
}

// Worth another attempt: the same request may succeed later.
bool is_passing(const HttpError& error) {
  switch (error.kind) {
    case HttpErrorKind::kLost:
    case HttpErrorKind::kTimedOut:
    case HttpErrorKind::kUnreachable:
      return true;
    case HttpErrorKind::kRefused:
      return error.status >= 500;
    default:
      return false;
  }
}

HttpError refusal(const HttpResponse& response) {
  return {HttpErrorKind::kRefused, "the cloud answered with HTTP status " + std::to_string(response.status),
          response.status, response.body};
}

}  // namespace

tl::expected<void, HttpError> follow_events(HttpClient& client, const EventStreamOptions& options,
                                            const std::function<bool(const ServerEvent&)>& on_event,
                                            const std::function<void(const HttpError&)>& on_lost) {
  EventParser parser;
  std::string last_id = options.last_id;
  bool was_connected = false;
  milliseconds retry = kFirstRetry;
  while (!is_interrupted(options)) {
    HttpRequest request{"GET", options.target, {{"Accept", "text/event-stream"}}, {}};
    if (!last_id.empty()) request.headers.emplace_back("Last-Event-ID", last_id);
    parser.restart();
    bool stopped = false;
    const auto answer = client.stream(
        request, options.idle,
        [&](std::string_view text) {
          was_connected = true;
          retry = parser.retry().value_or(kFirstRetry);
          stopped = !parser.push(text, on_event) || (options.on_alive && !options.on_alive());
          return !stopped;
        },
        options.go_on);
    if (parser.too_long()) {
      return tl::make_unexpected(
          HttpError{HttpErrorKind::kProtocol, "the cloud sent an event that is too long", 0, {}});
    }
    if (stopped || is_interrupted(options)) return {};
    if (!parser.last_id().empty()) last_id = parser.last_id();
    if (answer && answer->ok() && !options.follow) return {};
    const HttpError error = !answer        ? answer.error()
                            : answer->ok() ? HttpError{HttpErrorKind::kLost, "the cloud ended the stream", 0, {}}
                                           : refusal(*answer);
    const bool wait_for_it = options.follow && (was_connected || options.patient);
    if (!wait_for_it || !is_passing(error)) return tl::make_unexpected(error);
    on_lost(error);
    wait(retry, options);
    retry = std::min(retry * 2, options.longest_retry);
  }
  return {};
}

}  // namespace mv::transport
