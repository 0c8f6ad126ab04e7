// Who the link talks to inside the device: what it asks of the update engine, the log, the crash records and the debug
// agent, and what it offers them. All of it on the Secure thread; nothing here blocks.
//
// Messages are the nanopb structures of wire/proto/link.proto.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/link/text_writer.h"
#include "core/tls/byte_stream.h"
#include "wire/proto/link.nanopb.h"

namespace mv::link {

// The update engine, and the keys whose bundles run.
class UpdateControl {
 public:
  // What the cloud wants, on every connection and on every change. It may come again as it was.
  virtual void on_desired(const mv_wire_Desired& desired) = 0;

  // Fills in how things stand. Called for Hello, after each Desired, and when `report_version` has changed.
  virtual void report(mv_wire_AppReport& out) = 0;

  // Changes with each change of the report that the cloud should see. Progress in bytes: a few times a second is
  // enough.
  virtual std::uint32_t report_version() const = 0;

  // A serialised SignedKeyChange, as long as a frame at most. It may come again.
  virtual void on_key_change(std::span<const std::uint8_t> message) = 0;

  // Fills in what keys there are. Called for Hello, and after each key change.
  virtual void report_keys(mv_wire_KeysReport& out) = 0;

 protected:
  ~UpdateControl() = default;
};

// Takes what a fetch brings. All of `data` is taken at once; flash may be written from here.
class BlobSink {
 public:
  // The next bytes, in order and without gaps, checked against what was asked for. `total`: size of the whole blob.
  virtual void on_chunk(std::uint32_t offset, std::span<const std::uint8_t> data, std::uint32_t total) = 0;

  // The next bytes of a segment's record (docs/delta-format.md), `offset` in it, `total` its size. Records come one
  // after the other in the order of their segments, of those that were asked for.
  virtual void on_record(std::uint32_t segment, std::uint32_t offset, std::span<const std::uint8_t> data,
                         std::uint32_t total) = 0;

  // All of it has come; another fetch may be started from here.
  virtual void on_fetched() = 0;

  // The cloud has no such blob, or not as many bytes. The fetch is over.
  virtual void on_missing() = 0;

  // The link is gone, or the cloud's answer made no sense. The fetch is over: ask again for what is missing once
  // `BlobFetcher::ready` says so.
  virtual void on_interrupted() = 0;

 protected:
  ~BlobSink() = default;
};

// Segments of one layer, as records against an old image.
struct SegmentQuery {
  std::array<std::uint8_t, 32> manifest;  // SHA-256 of the file of the bundle whose layer it is
  std::uint32_t layer;                    // its index there
  std::array<std::uint8_t, 32> from;      // likewise of the bundle whose layers are the old image
  bool has_from;                          // else there is no old image
  std::uint32_t wanted;                   // bit n: segment n
};

// What the link offers to the update engine: parts of blobs (manifests, layers), named by their SHA-256.
class BlobFetcher {
 public:
  // True while connected and no fetch is open.
  virtual bool ready() const = 0;

  // Asks for `length` bytes (not 0) from `offset`. False unless `ready`. `sink` must live until one of its on_fetched,
  // on_missing, on_interrupted, or until `cancel`.
  virtual bool fetch(std::span<const std::uint8_t, 32> hash, std::uint32_t offset, std::uint32_t length,
                     BlobSink& sink) = 0;

  // Asks for the records of segments, at least one. Otherwise as `fetch`.
  virtual bool fetch_segments(const SegmentQuery& query, BlobSink& sink) = 0;

  // Forgets the open fetch without a word to its sink; what still comes of it is dropped.
  virtual void cancel() = 0;

 protected:
  ~BlobFetcher() = default;
};

struct LogRecord {
  std::uint64_t sequence;  // rises by one for each record since the microvisor's boot; the first is 1
  std::uint64_t time_us;   // wall time if it was known, else 0
  std::uint64_t uptime_us;
  mv_wire_LogSource source;
  std::span<const std::uint8_t> text;  // valid until the log is changed
};

// The log buffer: keeps each record until the cloud has it, or until newer ones need its room.
class LogSource {
 public:
  static constexpr std::size_t kMaxText = 1024;  // bytes of one record's text; longer ones are cut by the link

  // The oldest record with a sequence above `after`; none if there is no newer one.
  virtual std::optional<LogRecord> next(std::uint64_t after) = 0;

  // The cloud has stored every record up to `sequence`: they may go. Numbers seen before, or never given, do no harm.
  virtual void acknowledge(std::uint64_t sequence) = 0;

  // Records dropped since boot because the buffer was full.
  virtual std::uint64_t lost() const = 0;

  // While false, records stay where they are: the cloud turned logging off (Desired.logging_enabled).
  virtual void enable(bool enabled) = 0;

 protected:
  ~LogSource() = default;
};

// The crash records.
class CrashSource {
 public:
  // The oldest one that is not acknowledged; false if there is none. Repeated until `acknowledge` names it.
  virtual bool oldest(mv_wire_CrashReport& out) = 0;
  virtual void acknowledge(std::uint32_t number) = 0;

 protected:
  ~CrashSource() = default;
};

// The debug stream: bytes between the cloud's pipe, or a caller's connection, and the debug agent. `ended` once it or
// the link is gone.
class DebugStream : public ByteStream {
 public:
  // Ends it from this side, after what was written. `DebugPeer` is not told.
  virtual void close() = 0;

 protected:
  ~DebugStream() = default;
};

// The debug agent's end of the link.
class DebugPeer {
 public:
  // The cloud, or a caller, opens the debug stream. False refuses it. `stream` is valid until `closed` or `link_lost`,
  // or until its `close`.
  virtual bool opened(DebugStream& stream) = 0;

  // Why the last `opened` refused: one sentence, the text of the CLOSE frame (reason kRefused).
  virtual std::string_view refusal() const { return "this device does not debug"; }

  // After an `opened` that did not refuse: what the debugger chooses its key and its program by, the key's id and the
  // build id in hex digits ("0123456789abcdef 4fa0..."). For a stream that comes without a cloud.
  virtual void introduce(TextWriter&) const {}

  // The cloud closed the pipe: whoever was at its other end is gone. What came before is read already or lost.
  virtual void closed() = 0;

  // The device's link is gone, and the pipe with it.
  virtual void link_lost() = 0;

 protected:
  ~DebugPeer() = default;
};

// Whoever keeps the wall time (system calls, log time stamps).
class WallClock {
 public:
  // It was `wall_us` (microseconds since 1970-01-01 UTC) when the uptime was `uptime_us`.
  virtual void set_wall_time(std::uint64_t wall_us, std::uint64_t uptime_us) = 0;

 protected:
  ~WallClock() = default;
};

// Whoever wants to know whether the cloud is reached (network status system calls, the application's notifications).
class LinkObserver {
 public:
  virtual void link_changed(bool connected) = 0;

 protected:
  ~LinkObserver() = default;
};

// Events for the cloud's record of this device ("debugger attached", "application restarted"). Best effort: a few are
// kept while offline, the oldest go first.
class EventSink {
 public:
  virtual void post(std::string_view kind, std::string_view detail) = 0;

 protected:
  ~EventSink() = default;
};

// High-water marks that the link itself does not know: the Secure thread's stack. Called for every Hello.
class ResourceMeter {
 public:
  virtual void measure(mv_wire_Resources& out) = 0;

 protected:
  ~ResourceMeter() = default;
};

// Where the TLS session is kept over a reboot, so that the next connection is a short one.
class SessionStore {
 public:
  virtual std::size_t load(std::span<std::uint8_t> out) = 0;  // bytes; 0: none, or damaged
  virtual void save(std::span<const std::uint8_t> session) = 0;

 protected:
  ~SessionStore() = default;
};

}  // namespace mv::link
