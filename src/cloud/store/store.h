// What the cloud knows for good, behind one interface: SQLite on one machine, PostgreSQL beyond it.
//
// When a call that changes something returns, the change is durable: callers acknowledge to devices and people only
// afterwards. Calls are short and block; they come from one thread. Nothing here throws.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "cloud/text.h"

namespace mv::cloud {

struct StoreError {
  enum class Kind {
    kNotFound,
    kConflict,  // the name is taken, or something still refers to the record
    kFailed,    // the database failed; nothing was changed
  };
  Kind kind;
  Sentence sentence;
};
template <typename T>
using Stored = tl::expected<T, StoreError>;

struct Token {
  std::string sid;  // "TK..."
  std::string account_sid;
  std::string name;
  std::string salt;  // 16 bytes
  std::string hash;  // SHA-256(salt || secret): the secret has 256 random bits, so that one round is enough
  Microseconds created = 0;
  std::optional<Microseconds> expires;
};

struct Signer {
  std::string key_id;  // 16 hex digits
  std::string account_sid;
  std::string name;
  std::string public_key;  // PEM
  std::string point;       // uncompressed, 65 bytes
  Microseconds created = 0;
};

struct Blob {
  std::string hash;  // SHA-256, 32 bytes
  std::uint64_t size = 0;
};

struct App {
  std::string sid;  // "KA..."
  std::string account_sid;
  std::string unique_name;  // empty: none
  Blob manifest;
  Blob bundle;  // the zip as it was uploaded
  std::string name;
  std::string version;
  std::string build_id;
  std::string board;
  std::string signer_id;  // 16 hex digits
  bool debuggable = false;
  Microseconds created = 0;
  Microseconds updated = 0;
};

// A signed image of the microvisor.
struct Microvisor {
  std::string sid;  // "MV..."
  std::string account_sid;
  Blob image;
  std::uint32_t version = 0;  // major << 24 | minor << 16 | patch
  std::string board;
  Microseconds created = 0;
};

// Which microvisor a device is to run, and what it said of it last: wire::MicrovisorImage and wire::MicrovisorReport.
struct DeviceMicrovisor {
  std::string target_sid{};  // empty: it keeps what it has
  std::uint64_t order = 0;   // rises with each order
  std::uint32_t trial_sec = 0;
  bool force = false;
  std::optional<Microseconds> targeted{};

  int state = 0;  // wire::MicrovisorState
  std::uint32_t version = 0;
  std::uint64_t seen_order = 0;
  std::uint32_t bytes_done = 0;
  std::uint32_t bytes_total = 0;
  int error = 0;  // wire::UpdateError
  std::string detail{};
};

// Whose bundles a device runs, as it said last, and the change of that which was ordered last.
struct DeviceKeys {
  enum class Status { kNone = 0, kPending = 1, kDone = 2, kRefused = 3 };

  std::string change{};  // a serialised wire::SignedKeyChange
  std::optional<Microseconds> ordered{};
  Status status = Status::kNone;
  int error = 0;  // wire::KeyChangeError: why it is refused, or waits

  std::uint64_t sequence = 0;   // of the last change that was carried out
  std::uint32_t threshold = 0;  // 0: the device has never said
  std::string keys{};           // their ids, 8 bytes each, big-endian

  friend bool operator==(const DeviceKeys&, const DeviceKeys&) = default;
};

// What the cloud wants of a device: the fields of wire::Desired.
struct Desired {
  std::uint64_t generation = 0;  // rises with each order: an app to run, or force
  std::string app_sid;           // empty: nothing is assigned
  bool force = false;
  std::uint64_t restart_generation = 0;
  bool logging_enabled = true;
  std::optional<Microseconds> logging_expires;  // while enabled; none: never
  std::optional<Microseconds> targeted;
};

// What the device said last: wire::AppReport and wire::Hello.
struct Report {
  int state = 0;  // wire::AppState
  std::string running_hash;
  std::string target_hash;
  std::uint64_t generation = 0;
  std::uint32_t bytes_done = 0;
  std::uint32_t bytes_total = 0;
  int error = 0;  // wire::UpdateError
  std::string detail;
  std::uint64_t restart_generation = 0;
  std::uint32_t restarts = 0;
  std::optional<Microseconds> reported;
  int wait = 0;                     // wire::UpdateWait
  std::uint32_t wait_left_sec = 0;  // when it was reported
  std::uint32_t bytes_received = 0;

  // What the device's history has last of an update: a state by its name (update_state.h), and of which generation.
  std::string noted_state;
  std::uint64_t noted_generation = 0;
  std::optional<Microseconds> noted;
};

struct DeviceFacts {
  std::string board;
  std::string microvisor_version;
  std::uint64_t boot_id = 0;
  std::uint32_t boot_count = 0;
  int wake_reason = 0;
  std::string boot_detail;  // why it booted, a sentence; empty if there is no more to say than wake_reason
  std::uint64_t log_lost = 0;
  std::uint32_t tls_pool_size = 0;
  std::uint32_t tls_pool_high_water = 0;
  std::uint32_t tls_stack_size = 0;
  std::uint32_t tls_stack_high_water = 0;
};

struct Device {
  std::string sid;  // "UV..."
  std::string account_sid;
  std::string unique_name;
  Desired desired;
  Report report;
  DeviceFacts facts;
  std::uint64_t epoch = 0;                  // of the newest connection
  std::uint32_t learned_keep_alive_ms = 0;  // the longest silence that its network bore; 0: none is known
  std::optional<Microseconds> connection_changed;
  Microseconds created = 0;
  Microseconds updated = 0;
};

struct LogRecord {
  std::int64_t id = 0;  // rises with each record stored, over all devices
  std::uint64_t boot_id = 0;
  std::uint64_t sequence = 0;
  Microseconds time = 0;  // the device's if it knew it, else when the cloud received it
  std::uint64_t uptime_us = 0;
  int source = 0;
  std::string text;  // bytes as the device sent them
};

struct Crash {
  std::uint32_t number = 0;  // the device's own
  Microseconds received = 0;
  std::string record;   // serialised wire::CrashReport
  std::int64_t id = 0;  // given by the store; rises with each crash stored, over all devices
};

struct Event {
  std::int64_t id = 0;
  std::string device_sid;
  Microseconds time = 0;
  std::string kind;    // "connection", "app", "crash", "debug", "target", "device", ...
  std::string detail;  // one sentence
  std::string data;    // a JSON object
};

// Where a page of a list starts. Records are listed newest first; `order` rises with each record made.
struct PageRequest {
  std::size_t size = 50;
  std::optional<std::int64_t> older_than;
  std::optional<std::int64_t> newer_than;
};
template <typename T>
struct Page {
  std::vector<T> items;
  std::int64_t first_order = 0;  // of the first and the last item, if there are any
  std::int64_t last_order = 0;
  bool more_newer = false;
  bool more_older = false;
};

class Store {
 public:
  virtual ~Store() = default;

  virtual Stored<void> add_token(const Token& token) = 0;
  virtual Stored<Token> token(std::string_view sid) = 0;
  virtual Stored<Page<Token>> tokens(std::string_view account, const PageRequest& page) = 0;
  virtual Stored<void> remove_token(std::string_view account, std::string_view sid) = 0;

  // kConflict if the account has the key already.
  virtual Stored<void> add_signer(const Signer& signer) = 0;
  virtual Stored<Page<Signer>> signers(std::string_view account, const PageRequest& page) = 0;
  virtual Stored<void> remove_signer(std::string_view account, std::string_view key_id) = 0;

  // The app and what its bundle holds. kConflict if the name or the manifest is there already.
  virtual Stored<void> add_app(const App& app, const std::vector<Blob>& layers) = 0;
  // By sid, unique name, or hash of the manifest (32 bytes).
  virtual Stored<App> app(std::string_view account, std::string_view key) = 0;
  virtual Stored<Page<App>> apps(std::string_view account, const PageRequest& page) = 0;
  // Removes the app and returns the hashes of blobs that nothing refers to any more. kConflict while a device targets
  // it.
  virtual Stored<std::vector<std::string>> remove_app(std::string_view account, std::string_view sid) = 0;
  // The blob, if it belongs to the app's bundle as seen by devices: its manifest or a layer.
  virtual Stored<Blob> app_blob(std::string_view app_sid, std::string_view hash) = 0;
  virtual Stored<bool> blob_is_used(std::string_view hash) = 0;

  // kConflict if the account has the image already.
  virtual Stored<void> add_microvisor(const Microvisor& microvisor) = 0;
  // By sid, or hash of the image (32 bytes).
  virtual Stored<Microvisor> microvisor(std::string_view account, std::string_view key) = 0;
  virtual Stored<Page<Microvisor>> microvisors(std::string_view account, const PageRequest& page) = 0;
  // kConflict while a device is to run it.
  virtual Stored<void> remove_microvisor(std::string_view account, std::string_view sid) = 0;
  // Empty if neither an order nor a report is there.
  virtual Stored<DeviceMicrovisor> device_microvisor(std::string_view sid) = 0;
  // Each stores its half of the record.
  virtual Stored<void> order_microvisor(std::string_view sid, const DeviceMicrovisor& order) = 0;
  virtual Stored<void> update_microvisor_report(std::string_view sid, const DeviceMicrovisor& report) = 0;

  // Empty if nothing is known.
  virtual Stored<DeviceKeys> device_keys(std::string_view sid) = 0;
  virtual Stored<void> update_device_keys(std::string_view sid, const DeviceKeys& keys) = 0;

  virtual Stored<void> add_device(const Device& device) = 0;
  virtual Stored<Device> device(std::string_view sid) = 0;
  // By sid, unique name, or a prefix of either that fits one device only (else kConflict).
  virtual Stored<Device> find_device(std::string_view account, std::string_view key) = 0;
  virtual Stored<Page<Device>> devices(std::string_view account, const PageRequest& page) = 0;
  // Stores unique name and desired state; date_updated becomes `now`. kConflict if the name is taken.
  virtual Stored<void> update_device(const Device& device, Microseconds now) = 0;
  // Takes note of a new connection and returns its epoch, which is above all earlier ones of the device.
  virtual Stored<std::uint64_t> begin_connection(std::string_view sid, const DeviceFacts& facts, Microseconds now) = 0;
  virtual Stored<void> end_connection(std::string_view sid, std::uint64_t epoch, Microseconds now) = 0;
  virtual Stored<void> update_keep_alive(std::string_view sid, std::uint32_t learned_ms) = 0;
  virtual Stored<void> update_report(std::string_view sid, const Report& report) = 0;
  // Removes the device with its logs and crashes; its events stay. kNotFound if the account has no such device.
  virtual Stored<void> remove_device(std::string_view account, std::string_view sid) = 0;

  // Stores those not there yet (same boot id and sequence), then drops the oldest above `keep`.
  virtual Stored<std::size_t> append_logs(std::string_view sid, const std::vector<LogRecord>& records,
                                          std::size_t keep) = 0;
  // Records with id above `after` and time from `since`, oldest first.
  virtual Stored<std::vector<LogRecord>> logs(std::string_view sid, std::int64_t after, Microseconds since,
                                              std::size_t limit) = 0;

  // False if this very record is there already. Drops the device's oldest crashes above `keep`.
  virtual Stored<bool> add_crash(std::string_view sid, const Crash& crash, std::size_t keep) = 0;
  virtual Stored<Page<Crash>> crashes(std::string_view sid, const PageRequest& page) = 0;
  // kNotFound if the device has no such crash.
  virtual Stored<Crash> crash(std::string_view sid, std::int64_t id) = 0;

  // Returns the event's id; drops the oldest events above `keep`.
  virtual Stored<std::int64_t> add_event(std::string_view account, const Event& event, std::size_t keep) = 0;
  // Events with id above `after` and time from `since`, oldest first; of one device unless `device_sid` is empty.
  virtual Stored<std::vector<Event>> events(std::string_view account, std::string_view device_sid, std::int64_t after,
                                            Microseconds since, std::size_t limit) = 0;
};

}  // namespace mv::cloud
