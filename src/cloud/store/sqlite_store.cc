#include "cloud/store/sqlite_store.h"

#include <algorithm>

#include "cloud/store/schema.h"

namespace mv::cloud {
namespace {

using sqlite::Bytes;
using sqlite::Database;
using sqlite::Query;
using sqlite::TextOrNull;
using sqlite::Transaction;

tl::unexpected<StoreError> not_found(Sentence sentence) {
  return tl::make_unexpected(StoreError{StoreError::Kind::kNotFound, std::move(sentence)});
}
tl::unexpected<StoreError> conflict(Sentence sentence) {
  return tl::make_unexpected(StoreError{StoreError::Kind::kConflict, std::move(sentence)});
}

// The error with a sentence of our own if a UNIQUE or FOREIGN KEY rule was broken.
template <typename T>
Stored<T> explain_conflict(Stored<T> result, Sentence sentence) {
  if (result || result.error().kind != StoreError::Kind::kConflict) return result;
  return conflict(std::move(sentence));
}

// What a list of records needs to know of its table. `read` takes the columns from index 0; `ord` comes last.
template <typename T>
struct Table {
  const char* name;
  const char* columns;
  int column_count;
  const char* owner_column;
  T (*read)(const Query&);
};

Token read_token(const Query& row) {
  return {row.text(0), row.text(1), row.text(2), row.text(3), row.text(4), row.number(5), row.optional_number(6)};
}
constexpr Table<Token> kTokens{"token", "sid, account_sid, name, salt, hash, created, expires", 7, "account_sid",
                               read_token};

Signer read_signer(const Query& row) {
  return {row.text(0), row.text(1), row.text(2), row.text(3), row.text(4), row.number(5)};
}
constexpr Table<Signer> kSigners{"signer", "key_id, account_sid, name, public_key, point, created", 6, "account_sid",
                                 read_signer};

App read_app(const Query& row) {
  App app;
  app.sid = row.text(0);
  app.account_sid = row.text(1);
  app.unique_name = row.text(2);
  app.manifest = {row.text(3), row.unsigned_number(4)};
  app.bundle = {row.text(5), row.unsigned_number(6)};
  app.name = row.text(7);
  app.version = row.text(8);
  app.build_id = row.text(9);
  app.board = row.text(10);
  app.signer_id = row.text(11);
  app.debuggable = row.flag(12);
  app.created = row.number(13);
  app.updated = row.number(14);
  return app;
}
constexpr Table<App> kApps{
    "app",
    "sid, account_sid, unique_name, manifest_hash, manifest_size, bundle_hash, bundle_size, name, "
    "version, build_id, board, signer_id, debuggable, created, updated",
    15, "account_sid", read_app};

Desired read_desired(const Query& row, int at) {
  Desired desired;
  desired.generation = row.unsigned_number(at);
  desired.app_sid = row.text(at + 1);
  desired.force = row.flag(at + 2);
  desired.restart_generation = row.unsigned_number(at + 3);
  desired.logging_enabled = row.flag(at + 4);
  desired.targeted = row.optional_number(at + 5);
  return desired;
}

Report read_report(const Query& row, int at) {
  Report report;
  report.state = static_cast<int>(row.number(at));
  report.running_hash = row.text(at + 1);
  report.target_hash = row.text(at + 2);
  report.generation = row.unsigned_number(at + 3);
  report.bytes_done = row.word(at + 4);
  report.bytes_total = row.word(at + 5);
  report.error = static_cast<int>(row.number(at + 6));
  report.detail = row.text(at + 7);
  report.restart_generation = row.unsigned_number(at + 8);
  report.restarts = row.word(at + 9);
  report.reported = row.optional_number(at + 10);
  return report;
}

DeviceFacts read_facts(const Query& row, int at) {
  DeviceFacts facts;
  facts.board = row.text(at);
  facts.microvisor_version = row.text(at + 1);
  facts.boot_id = row.unsigned_number(at + 2);
  facts.boot_count = row.word(at + 3);
  facts.wake_reason = static_cast<int>(row.number(at + 4));
  facts.log_lost = row.unsigned_number(at + 5);
  facts.tls_pool_size = row.word(at + 6);
  facts.tls_pool_high_water = row.word(at + 7);
  facts.tls_stack_size = row.word(at + 8);
  facts.tls_stack_high_water = row.word(at + 9);
  return facts;
}

Device read_device(const Query& row) {
  Device device;
  device.sid = row.text(0);
  device.account_sid = row.text(1);
  device.unique_name = row.text(2);
  device.desired = read_desired(row, 3);
  device.report = read_report(row, 9);
  device.facts = read_facts(row, 20);
  device.epoch = row.unsigned_number(30);
  device.connection_changed = row.optional_number(31);
  device.created = row.number(32);
  device.updated = row.number(33);
  return device;
}
constexpr Table<Device> kDevices{
    "device",
    "sid, account_sid, unique_name, generation, target_sid, force, restart_generation, logging_enabled, targeted, "
    "state, running_hash, fetching_hash, seen_generation, bytes_done, bytes_total, error, detail, "
    "done_restart_generation, restarts, reported, "
    "board, microvisor_version, boot_id, boot_count, wake_reason, log_lost, tls_pool_size, tls_pool_high_water, "
    "tls_stack_size, tls_stack_high_water, epoch, connection_changed, created, updated",
    34, "account_sid", read_device};

Crash read_crash(const Query& row) { return {row.word(0), row.number(1), row.text(2)}; }
constexpr Table<Crash> kCrashes{"crash", "number, received, record", 3, "device_sid", read_crash};

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(std::unique_ptr<Database> database) : db_(std::move(database)) {}

  Stored<void> add_token(const Token& token) override;
  Stored<Token> token(std::string_view sid) override;
  Stored<Page<Token>> tokens(std::string_view account, const PageRequest& page) override {
    return list(kTokens, account, page);
  }
  Stored<void> remove_token(std::string_view account, std::string_view sid) override;

  Stored<void> add_signer(const Signer& signer) override;
  Stored<Page<Signer>> signers(std::string_view account, const PageRequest& page) override {
    return list(kSigners, account, page);
  }
  Stored<void> remove_signer(std::string_view account, std::string_view key_id) override;

  Stored<void> add_app(const App& app, const std::vector<Blob>& layers) override;
  Stored<App> app(std::string_view account, std::string_view key) override;
  Stored<Page<App>> apps(std::string_view account, const PageRequest& page) override {
    return list(kApps, account, page);
  }
  Stored<std::vector<std::string>> remove_app(std::string_view account, std::string_view sid) override;
  Stored<Blob> app_blob(std::string_view app_sid, std::string_view hash) override;
  Stored<bool> blob_is_used(std::string_view hash) override;

  Stored<void> add_device(const Device& device) override;
  Stored<Device> device(std::string_view sid) override;
  Stored<Device> find_device(std::string_view account, std::string_view key) override;
  Stored<Page<Device>> devices(std::string_view account, const PageRequest& page) override {
    return list(kDevices, account, page);
  }
  Stored<void> update_device(const Device& device, Microseconds now) override;
  Stored<std::uint64_t> begin_connection(std::string_view sid, const DeviceFacts& facts, Microseconds now) override;
  Stored<void> end_connection(std::string_view sid, std::uint64_t epoch, Microseconds now) override;
  Stored<void> update_report(std::string_view sid, const Report& report) override;

  Stored<std::size_t> append_logs(std::string_view sid, const std::vector<LogRecord>& records,
                                  std::size_t keep) override;
  Stored<std::vector<LogRecord>> logs(std::string_view sid, std::int64_t after, Microseconds since,
                                      std::size_t limit) override;
  Stored<bool> add_crash(std::string_view sid, const Crash& crash) override;
  Stored<Page<Crash>> crashes(std::string_view sid, const PageRequest& page) override {
    return list(kCrashes, sid, page);
  }
  Stored<std::int64_t> add_event(std::string_view account, const Event& event, std::size_t keep) override;
  Stored<std::vector<Event>> events(std::string_view account, std::string_view device_sid, std::int64_t after,
                                    Microseconds since, std::size_t limit) override;

 private:
  // Runs a statement without rows and returns how many rows it changed.
  template <typename... Values>
  Stored<int> change(const std::string& sql, const Values&... values) {
    auto query = db_->query(sql);
    if (!query) return tl::make_unexpected(query.error());
    if (auto done = query->bind(values...).run(); !done) return tl::make_unexpected(done.error());
    return db_->changes();
  }

  // The same where the number does not matter.
  template <typename... Values>
  Stored<void> run(const std::string& sql, const Values&... values) {
    if (auto changed = change(sql, values...); !changed) return tl::make_unexpected(changed.error());
    return {};
  }

  // The rows of a SELECT, at most `limit`.
  template <typename T, typename... Values>
  Stored<std::vector<T>> rows(const std::string& sql, T (*read)(const Query&), const Values&... values) {
    auto query = db_->query(sql);
    if (!query) return tl::make_unexpected(query.error());
    query->bind(values...);
    std::vector<T> found;
    for (;;) {
      const auto row = query->step();
      if (!row) return tl::make_unexpected(row.error());
      if (!*row) return found;
      found.push_back(read(*query));
    }
  }

  template <typename T>
  Stored<Page<T>> list(const Table<T>& table, std::string_view owner, const PageRequest& page);

  std::unique_ptr<Database> db_;
};

template <typename T>
Stored<Page<T>> SqliteStore::list(const Table<T>& table, std::string_view owner, const PageRequest& page) {
  const bool backwards = page.newer_than.has_value();
  const std::string sql = std::string("SELECT ") + table.columns + ", ord FROM " + table.name + " WHERE " +
                          table.owner_column + " = ?1 AND ord " +
                          (backwards ? "> ?2 ORDER BY ord" : "< ?2 ORDER BY ord DESC") + " LIMIT ?3";
  auto query = db_->query(sql);
  if (!query) return tl::make_unexpected(query.error());
  const std::int64_t from = backwards ? *page.newer_than : page.older_than.value_or(INT64_MAX);
  query->bind(owner, from, static_cast<std::int64_t>(page.size + 1));
  Page<T> result;
  bool more = false;
  for (;;) {
    const auto row = query->step();
    if (!row) return tl::make_unexpected(row.error());
    if (!*row) break;
    more = result.items.size() == page.size;
    if (more) break;
    const std::int64_t order = query->number(table.column_count);
    if (result.items.empty()) result.first_order = order;
    result.last_order = order;
    result.items.push_back(table.read(*query));
  }
  result.more_older = backwards || more;
  result.more_newer = backwards ? more : page.older_than.has_value();
  if (backwards) {
    std::reverse(result.items.begin(), result.items.end());
    std::swap(result.first_order, result.last_order);
  }
  return result;
}

// --- tokens and signers

Stored<void> SqliteStore::add_token(const Token& token) {
  return run("INSERT INTO token (sid, account_sid, name, salt, hash, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?)",
             token.sid, token.account_sid, token.name, Bytes{token.salt}, Bytes{token.hash}, token.created,
             token.expires);
}

Stored<Token> SqliteStore::token(std::string_view sid) {
  auto found =
      rows("SELECT sid, account_sid, name, salt, hash, created, expires FROM token WHERE sid = ?", read_token, sid);
  if (!found) return tl::make_unexpected(found.error());
  if (found->empty()) return not_found("there is no such token");
  return std::move(found->front());
}

Stored<void> SqliteStore::remove_token(std::string_view account, std::string_view sid) {
  const auto changed = change("DELETE FROM token WHERE account_sid = ? AND sid = ?", account, sid);
  if (!changed) return tl::make_unexpected(changed.error());
  if (*changed == 0) return not_found("there is no token " + std::string(sid));
  return {};
}

Stored<void> SqliteStore::add_signer(const Signer& signer) {
  return explain_conflict(
      run("INSERT INTO signer (key_id, account_sid, name, public_key, point, created) VALUES (?, ?, ?, ?, ?, ?)",
          signer.key_id, signer.account_sid, signer.name, signer.public_key, Bytes{signer.point}, signer.created),
      "the signer key " + signer.key_id + " is there already");
}

Stored<void> SqliteStore::remove_signer(std::string_view account, std::string_view key_id) {
  const auto changed = change("DELETE FROM signer WHERE account_sid = ? AND key_id = ?", account, key_id);
  if (!changed) return tl::make_unexpected(changed.error());
  if (*changed == 0) return not_found("there is no signer key " + std::string(key_id));
  return {};
}

// --- apps

Stored<void> SqliteStore::add_app(const App& app, const std::vector<Blob>& layers) {
  Transaction transaction(*db_);
  if (auto done = transaction.begin(); !done) return done;
  auto added =
      run(std::string("INSERT INTO app (") + kApps.columns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
          app.sid, app.account_sid, TextOrNull{app.unique_name}, Bytes{app.manifest.hash}, app.manifest.size,
          Bytes{app.bundle.hash}, app.bundle.size, app.name, app.version, Bytes{app.build_id}, app.board, app.signer_id,
          app.debuggable, app.created, app.updated);
  if (!added) {
    return explain_conflict(std::move(added), "there is an app with the unique name '" + app.unique_name +
                                                  "' or with this very manifest already: choose another name");
  }
  const std::string add_blob = "INSERT OR IGNORE INTO app_blob (app_sid, hash, size, for_device) VALUES (?, ?, ?, ?)";
  if (auto done = run(add_blob, app.sid, Bytes{app.manifest.hash}, app.manifest.size, true); !done) return done;
  if (auto done = run(add_blob, app.sid, Bytes{app.bundle.hash}, app.bundle.size, false); !done) return done;
  for (const Blob& layer : layers) {
    if (auto done = run(add_blob, app.sid, Bytes{layer.hash}, layer.size, true); !done) return done;
  }
  return transaction.commit();
}

Stored<App> SqliteStore::app(std::string_view account, std::string_view key) {
  auto found = rows(std::string("SELECT ") + kApps.columns +
                        " FROM app WHERE account_sid = ?1 AND (sid = ?2 OR unique_name = ?2 OR manifest_hash = ?3)",
                    read_app, account, key, Bytes{key});
  if (!found) return tl::make_unexpected(found.error());
  if (found->empty()) return not_found("there is no app " + std::string(key));
  return std::move(found->front());
}

Stored<std::vector<std::string>> SqliteStore::remove_app(std::string_view account, std::string_view sid) {
  Transaction transaction(*db_);
  if (auto done = transaction.begin(); !done) return tl::make_unexpected(done.error());
  auto orphans = rows<std::string>(
      "SELECT hash FROM app_blob AS mine WHERE app_sid = ?1 AND NOT EXISTS "
      "(SELECT 1 FROM app_blob AS other WHERE other.hash = mine.hash AND other.app_sid <> ?1)",
      [](const Query& row) { return row.text(0); }, sid);
  if (!orphans) return orphans;
  const auto changed = explain_conflict(change("DELETE FROM app WHERE account_sid = ? AND sid = ?", account, sid),
                                        "a device still targets this app: give the device another TargetApp first");
  if (!changed) return tl::make_unexpected(changed.error());
  if (*changed == 0) return not_found("there is no app " + std::string(sid));
  if (auto done = transaction.commit(); !done) return tl::make_unexpected(done.error());
  return orphans;
}

Stored<Blob> SqliteStore::app_blob(std::string_view app_sid, std::string_view hash) {
  auto found = rows<Blob>(
      "SELECT hash, size FROM app_blob WHERE app_sid = ? AND hash = ? AND for_device",
      [](const Query& row) {
        return Blob{row.text(0), row.unsigned_number(1)};
      },
      app_sid, Bytes{hash});
  if (!found) return tl::make_unexpected(found.error());
  if (found->empty()) return not_found("the app has no such layer");
  return found->front();
}

Stored<bool> SqliteStore::blob_is_used(std::string_view hash) {
  auto query = db_->query("SELECT 1 FROM app_blob WHERE hash = ? LIMIT 1");
  if (!query) return tl::make_unexpected(query.error());
  return query->bind(Bytes{hash}).step();
}

// --- devices

Stored<void> SqliteStore::add_device(const Device& device) {
  return explain_conflict(
      run("INSERT INTO device (sid, account_sid, unique_name, generation, force, restart_generation, logging_enabled, "
          "board, created, updated) VALUES (?, ?, ?, 1, 0, 0, ?, ?, ?, ?)",
          device.sid, device.account_sid, TextOrNull{device.unique_name}, device.desired.logging_enabled,
          device.facts.board, device.created, device.updated),
      "there is a device with the unique name '" + device.unique_name + "' already: choose another");
}

Stored<Device> SqliteStore::device(std::string_view sid) {
  auto found = rows(std::string("SELECT ") + kDevices.columns + " FROM device WHERE sid = ?", read_device, sid);
  if (!found) return tl::make_unexpected(found.error());
  if (found->empty()) return not_found("there is no device " + std::string(sid));
  return std::move(found->front());
}

Stored<Device> SqliteStore::find_device(std::string_view account, std::string_view key) {
  const std::string select = std::string("SELECT ") + kDevices.columns + " FROM device WHERE account_sid = ?1 AND ";
  auto found = rows(select + "(sid = ?2 OR unique_name = ?2)", read_device, account, key);
  if (!found) return tl::make_unexpected(found.error());
  if (found->empty() && !key.empty()) {
    found = rows(select + "(substr(sid, 1, length(?2)) = ?2 OR substr(unique_name, 1, length(?2)) = ?2) LIMIT 2",
                 read_device, account, key);
    if (!found) return tl::make_unexpected(found.error());
  }
  if (found->empty()) return not_found("there is no device " + std::string(key));
  if (found->size() > 1)
    return conflict("more than one device begins with '" + std::string(key) + "': give more of it");
  return std::move(found->front());
}

Stored<void> SqliteStore::update_device(const Device& device, Microseconds now) {
  const Desired& desired = device.desired;
  return explain_conflict(
      run("UPDATE device SET unique_name = ?, generation = ?, target_sid = ?, force = ?, restart_generation = ?, "
          "logging_enabled = ?, targeted = ?, updated = ? WHERE sid = ?",
          TextOrNull{device.unique_name}, desired.generation, TextOrNull{desired.app_sid}, desired.force,
          desired.restart_generation, desired.logging_enabled, desired.targeted, now, device.sid),
      "there is a device with the unique name '" + device.unique_name + "' already: choose another");
}

Stored<std::uint64_t> SqliteStore::begin_connection(std::string_view sid, const DeviceFacts& facts, Microseconds now) {
  auto query = db_->query(
      "UPDATE device SET epoch = epoch + 1, connection_changed = ?, board = ?, microvisor_version = ?, boot_id = ?, "
      "boot_count = ?, wake_reason = ?, log_lost = ?, tls_pool_size = ?, tls_pool_high_water = ?, tls_stack_size = ?, "
      "tls_stack_high_water = ? WHERE sid = ? RETURNING epoch");
  if (!query) return tl::make_unexpected(query.error());
  query->bind(now, facts.board, facts.microvisor_version, facts.boot_id, facts.boot_count, facts.wake_reason,
              facts.log_lost, facts.tls_pool_size, facts.tls_pool_high_water, facts.tls_stack_size,
              facts.tls_stack_high_water, sid);
  auto row = query->step();
  if (!row) return tl::make_unexpected(row.error());
  if (!*row) return not_found("there is no device " + std::string(sid));
  const std::uint64_t epoch = query->unsigned_number(0);
  if (row = query->step(); !row) return tl::make_unexpected(row.error());  // runs the UPDATE to its end
  return epoch;
}

Stored<void> SqliteStore::end_connection(std::string_view sid, std::uint64_t epoch, Microseconds now) {
  return run("UPDATE device SET connection_changed = ? WHERE sid = ? AND epoch = ?", now, sid, epoch);
}

Stored<void> SqliteStore::update_report(std::string_view sid, const Report& report) {
  return run(
      "UPDATE device SET state = ?, running_hash = ?, fetching_hash = ?, seen_generation = ?, bytes_done = ?, "
      "bytes_total = ?, error = ?, detail = ?, done_restart_generation = ?, restarts = ?, reported = ? WHERE sid = ?",
      report.state, Bytes{report.running_hash}, Bytes{report.target_hash}, report.generation, report.bytes_done,
      report.bytes_total, report.error, report.detail, report.restart_generation, report.restarts, report.reported,
      sid);
}

// --- logs, crashes, events

Stored<std::size_t> SqliteStore::append_logs(std::string_view sid, const std::vector<LogRecord>& records,
                                             std::size_t keep) {
  Transaction transaction(*db_);
  if (auto done = transaction.begin(); !done) return tl::make_unexpected(done.error());
  std::size_t added = 0;
  for (const LogRecord& record : records) {
    const auto changed = change(
        "INSERT OR IGNORE INTO log (device_sid, boot_id, sequence, time, uptime, source, text) VALUES (?, ?, ?, ?, ?, "
        "?, ?)",
        sid, record.boot_id, record.sequence, record.time, record.uptime_us, record.source, Bytes{record.text});
    if (!changed) return tl::make_unexpected(changed.error());
    added += static_cast<std::size_t>(*changed);
  }
  auto trimmed =
      run("DELETE FROM log WHERE device_sid = ?1 AND id <= "
          "(SELECT id FROM log WHERE device_sid = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
          sid, static_cast<std::int64_t>(keep));
  if (!trimmed) return tl::make_unexpected(trimmed.error());
  if (auto done = transaction.commit(); !done) return tl::make_unexpected(done.error());
  return added;
}

Stored<std::vector<LogRecord>> SqliteStore::logs(std::string_view sid, std::int64_t after, Microseconds since,
                                                 std::size_t limit) {
  return rows<LogRecord>(
      "SELECT id, boot_id, sequence, time, uptime, source, text FROM log WHERE device_sid = ? AND id > ? AND time >= ? "
      "ORDER BY id LIMIT ?",
      [](const Query& row) {
        return LogRecord{row.number(0), row.unsigned_number(1), row.unsigned_number(2),
                         row.number(3), row.unsigned_number(4), static_cast<int>(row.number(5)),
                         row.text(6)};
      },
      sid, after, since, static_cast<std::int64_t>(limit));
}

Stored<bool> SqliteStore::add_crash(std::string_view sid, const Crash& crash) {
  const auto changed =
      change("INSERT OR IGNORE INTO crash (device_sid, number, received, record, digest) VALUES (?, ?, ?, ?, ?)", sid,
             crash.number, crash.received, Bytes{crash.record}, Bytes{sha256(crash.record)});
  if (!changed) return tl::make_unexpected(changed.error());
  return *changed == 1;
}

Stored<std::int64_t> SqliteStore::add_event(std::string_view account, const Event& event, std::size_t keep) {
  auto query = db_->query(
      "INSERT INTO event (account_sid, device_sid, time, kind, detail, data) VALUES (?, ?, ?, ?, ?, ?) RETURNING id");
  if (!query) return tl::make_unexpected(query.error());
  query->bind(account, event.device_sid, event.time, event.kind, event.detail, event.data);
  auto row = query->step();
  if (!row) return tl::make_unexpected(row.error());
  const std::int64_t id = query->number(0);
  if (row = query->step(); !row) return tl::make_unexpected(row.error());
  if (id % 64 == 0) {  // trimming costs a commit, so not each time
    if (auto done = run("DELETE FROM event WHERE id <= ?", id - static_cast<std::int64_t>(keep)); !done) {
      return tl::make_unexpected(done.error());
    }
  }
  return id;
}

Stored<std::vector<Event>> SqliteStore::events(std::string_view account, std::string_view device_sid,
                                               std::int64_t after, Microseconds since, std::size_t limit) {
  return rows<Event>(
      "SELECT id, device_sid, time, kind, detail, data FROM event WHERE account_sid = ?1 AND id > ?2 AND time >= ?3 "
      "AND "
      "(?4 = '' OR device_sid = ?4) ORDER BY id LIMIT ?5",
      [](const Query& row) {
        return Event{row.number(0), row.text(1), row.number(2), row.text(3), row.text(4), row.text(5)};
      },
      account, after, since, device_sid, static_cast<std::int64_t>(limit));
}

Stored<void> prepare_schema(Database& database) {
  std::int64_t version = 0;
  {
    auto query = database.query("PRAGMA user_version");
    if (!query) return tl::make_unexpected(query.error());
    if (const auto row = query->step(); !row) return tl::make_unexpected(row.error());
    version = query->number(0);
  }
  if (version == kSchemaVersion) return {};
  if (version != 0) {
    return tl::make_unexpected(
        StoreError{StoreError::Kind::kFailed, "the database was made by a newer mvcloud (schema " +
                                                  std::to_string(version) + "): run that version or restore a backup"});
  }
  Transaction transaction(database);
  if (auto done = transaction.begin(); !done) return done;
  if (auto done = database.script(kSchema); !done) return done;
  return transaction.commit();
}

}  // namespace

Stored<std::unique_ptr<Store>> open_sqlite_store(const std::string& path) {
  auto database = Database::open(path);
  if (!database) return tl::make_unexpected(database.error());
  if (auto done = prepare_schema(**database); !done) return tl::make_unexpected(done.error());
  return std::make_unique<SqliteStore>(std::move(*database));
}

}  // namespace mv::cloud
