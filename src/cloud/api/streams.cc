// Logs and events as server-sent events, and the debug stream as a WebSocket.
#include <spdlog/spdlog.h>

#include "cloud/api/answers.h"
#include "cloud/api/api.h"
#include "cloud/api/debug_stream.h"
#include "cloud/http/web_socket.h"

namespace mv::cloud {
namespace {

constexpr std::size_t kBatch = 100;
constexpr Microseconds kHeartbeat = 15'000'000;

// Where a reader is and what it wants. The Store is the queue: a slow reader costs no memory and misses nothing that is
// still kept.
struct Cursor {
  std::int64_t after = 0;
  Microseconds since = 0;
  bool follow = true;
};

Result<Cursor> read_cursor(const Call& call) {
  Cursor cursor;
  const Fields& query = call.request.query;
  if (const auto since = query.find("Since"); since != query.end()) {
    const auto time = parse_time(since->second, call.services.now());
    if (!time) return fail("Since must be a time as 2026-01-31T12:00:00Z, or one before now as -90s, -15m, -1h or -2d");
    cursor.since = *time;
  }
  if (const auto follow = query.find("Follow"); follow != query.end()) {
    const auto flag = parse_flag("Follow", follow->second);
    if (!flag) return fail(flag.error());
    cursor.follow = *flag;
  }
  if (const std::string_view last = call.request.header("last-event-id"); !last.empty()) {
    const auto id = parse_number(last);
    if (!id || *id > INT64_MAX) return fail("Last-Event-ID is not an id that this stream gave");
    cursor.after = static_cast<std::int64_t>(*id);
  }
  return cursor;
}

std::string sse(std::int64_t id, std::string_view event, const Json& data) {
  return "id: " + std::to_string(id) + "\nevent: " + std::string(event) +
         "\ndata: " + data.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n\n";
}

// Reads batches from the Store and waits on the bus when there is nothing more.
class EventStream final : public StreamSource {
 public:
  // Appends up to kBatch records after the cursor to `text` and moves the cursor; returns how many.
  using Read = std::function<Stored<std::size_t>(Cursor& cursor, std::string& text)>;

  EventStream(Services& services, std::string topic, Cursor cursor, Read read)
      : services_(services), topic_(std::move(topic)), cursor_(cursor), read_(std::move(read)) {}

  void start(StreamSink& sink) override {
    sink_ = &sink;
    last_sent_ = services_.now();
    if (cursor_.follow) {
      subscription_ = services_.bus.subscribe(topic_, [this] { on_drained(); });
      sink.send(": following\n\n");
    }
    on_drained();
  }

  void on_drained() override {
    while (!ended_ && !sink_->full()) {
      std::string text;
      const auto count = read_(cursor_, text);
      if (!count) {
        spdlog::error("a stream of {} ends: {}", topic_, count.error().sentence);
        return end();
      }
      if (!text.empty()) {
        last_sent_ = services_.now();
        sink_->send(text);
      }
      if (*count == 0) {
        if (!cursor_.follow) end();
        return;
      }
    }
  }

  void on_tick(Microseconds now) override {
    if (now - last_sent_ < kHeartbeat || sink_->full()) return;
    last_sent_ = now;
    sink_->send(": alive\n\n");
  }

 private:
  void end() {
    ended_ = true;
    sink_->end();
  }

  Services& services_;
  std::string topic_;
  Cursor cursor_;
  Read read_;
  StreamSink* sink_ = nullptr;
  std::unique_ptr<Bus::Subscription> subscription_;
  Microseconds last_sent_ = 0;
  bool ended_ = false;
};

HttpReply event_stream(Services& services, std::string topic, Cursor cursor, EventStream::Read read) {
  HttpReply reply;
  reply.headers = {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}};
  reply.stream = std::make_unique<EventStream>(services, std::move(topic), cursor, std::move(read));
  return reply;
}

HttpReply follow_logs(Call& call) {
  const auto cursor = read_cursor(call);
  if (!cursor) return error_reply(400, cursor.error());
  const auto device = call.services.store.find_device(call.account, call.path[0]);
  if (!device) return error_reply(device.error());
  Store& store = call.services.store;
  const auto read = [&store, sid = device->sid](Cursor& at, std::string& text) -> Stored<std::size_t> {
    const auto records = store.logs(sid, at.after, at.since, kBatch);
    if (!records) return tl::make_unexpected(records.error());
    for (const LogRecord& record : *records) {
      text += sse(record.id, "log", log_json(record));
      at.after = record.id;
    }
    return records->size();
  };
  return event_stream(call.services, logs_topic(device->sid), *cursor, read);
}

HttpReply follow_events(Call& call) {
  const auto cursor = read_cursor(call);
  if (!cursor) return error_reply(400, cursor.error());
  std::string sid;
  if (const auto wanted = call.request.query.find("Device"); wanted != call.request.query.end()) {
    const auto device = call.services.store.find_device(call.account, wanted->second);
    if (!device) return error_reply(device.error());
    sid = device->sid;
  }
  Store& store = call.services.store;
  const auto read = [&store, account = call.account, sid](Cursor& at, std::string& text) -> Stored<std::size_t> {
    const auto events = store.events(account, sid, at.after, at.since, kBatch);
    if (!events) return tl::make_unexpected(events.error());
    for (const Event& event : *events) {
      text += sse(event.id, event.kind, event_json(event));
      at.after = event.id;
    }
    return events->size();
  };
  return event_stream(call.services, events_topic(), *cursor, read);
}

HttpReply open_debug_stream(Call& call) {
  const HttpRequest& request = call.request;
  const auto device = call.services.store.find_device(call.account, call.path[0]);
  if (!device) return error_reply(device.error());
  const auto accept = web_socket::accept_value(request.header("sec-websocket-key"));
  if (!accept || request.header("sec-websocket-version") != "13") {
    HttpReply reply = error_reply(426, "this is a WebSocket (version 13): connect with one, or with `mvctl debug`");
    reply.headers.emplace_back("Sec-WebSocket-Version", "13");
    return reply;
  }
  DeviceLink* link = call.services.links.find(device->sid);
  if (link == nullptr) {
    return error_reply(503, "the device is offline: wait until it connects, see `mvctl devices`");
  }
  auto stream = DebugStream::open(call.services, *device, *link);
  if (!stream) return error_reply(409, "somebody debugs the device already: try again when they have left");
  HttpReply reply;
  reply.status = 101;
  reply.headers = {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", *accept}};
  reply.web_socket = std::move(stream);
  return reply;
}

}  // namespace

void add_stream_routes(std::vector<Api::Entry>& entries) {
  entries.push_back({"GET", "/v1/Devices/{}/Logs", follow_logs});
  entries.push_back({"GET", "/v1/Events", follow_events});
  entries.push_back({"GET", "/v1/Devices/{}/DebugStream", open_debug_stream});
}

}  // namespace mv::cloud
