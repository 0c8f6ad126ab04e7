// What devices send and what happens to them: logs, crashes, events.
#include "cloud/store/sqlite_store_class.h"

namespace mv::cloud {
namespace {

using sqlite::Bytes;
using sqlite::not_found;
using sqlite::Query;
using sqlite::Table;
using sqlite::Transaction;

Crash read_crash(const Query& row) { return {row.word(0), row.number(1), row.text(2), row.number(3)}; }
constexpr Table<Crash> kCrashes{"crash", "number, received, record, ord", 4, "device_sid", read_crash};

}  // namespace

Stored<Page<Crash>> SqliteStore::crashes(std::string_view sid, const PageRequest& page) {
  return sql_.list(kCrashes, sid, page);
}

Stored<Crash> SqliteStore::crash(std::string_view sid, std::int64_t id) {
  auto found = sql_.rows<Crash>(
      std::string("SELECT ") + kCrashes.columns + " FROM crash WHERE device_sid = ? AND ord = ?", read_crash, sid, id);
  if (!found) return tl::make_unexpected(found.error());
  if (found->empty()) return not_found("the device has no crash " + std::to_string(id));
  return std::move(found->front());
}

Stored<std::size_t> SqliteStore::append_logs(std::string_view sid, const std::vector<LogRecord>& records,
                                             std::size_t keep) {
  Transaction transaction(sql_.database());
  if (auto done = transaction.begin(); !done) return tl::make_unexpected(done.error());
  std::size_t added = 0;
  for (const LogRecord& record : records) {
    const auto changed = sql_.change(
        "INSERT OR IGNORE INTO log (device_sid, boot_id, sequence, time, uptime, source, text) VALUES (?, ?, ?, ?, ?, "
        "?, ?)",
        sid, record.boot_id, record.sequence, record.time, record.uptime_us, record.source, Bytes{record.text});
    if (!changed) return tl::make_unexpected(changed.error());
    added += static_cast<std::size_t>(*changed);
  }
  auto trimmed = sql_.run(
      "DELETE FROM log WHERE device_sid = ?1 AND id <= "
      "(SELECT id FROM log WHERE device_sid = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
      sid, static_cast<std::int64_t>(keep));
  if (!trimmed) return tl::make_unexpected(trimmed.error());
  if (auto done = transaction.commit(); !done) return tl::make_unexpected(done.error());
  return added;
}

Stored<std::vector<LogRecord>> SqliteStore::logs(std::string_view sid, std::int64_t after, Microseconds since,
                                                 std::size_t limit) {
  return sql_.rows<LogRecord>(
      "SELECT id, boot_id, sequence, time, uptime, source, text FROM log WHERE device_sid = ? AND id > ? AND time >= ? "
      "ORDER BY id LIMIT ?",
      [](const Query& row) {
        return LogRecord{row.number(0), row.unsigned_number(1), row.unsigned_number(2),
                         row.number(3), row.unsigned_number(4), static_cast<int>(row.number(5)),
                         row.text(6)};
      },
      sid, after, since, static_cast<std::int64_t>(limit));
}

Stored<bool> SqliteStore::add_crash(std::string_view sid, const Crash& crash, std::size_t keep) {
  Transaction transaction(sql_.database());
  if (auto done = transaction.begin(); !done) return tl::make_unexpected(done.error());
  const auto changed =
      sql_.change("INSERT OR IGNORE INTO crash (device_sid, number, received, record, digest) VALUES (?, ?, ?, ?, ?)",
                  sid, crash.number, crash.received, Bytes{crash.record}, Bytes{sha256(crash.record)});
  if (!changed) return tl::make_unexpected(changed.error());
  auto trimmed = sql_.run(
      "DELETE FROM crash WHERE device_sid = ?1 AND ord <= "
      "(SELECT ord FROM crash WHERE device_sid = ?1 ORDER BY ord DESC LIMIT 1 OFFSET ?2)",
      sid, static_cast<std::int64_t>(keep));
  if (!trimmed) return tl::make_unexpected(trimmed.error());
  if (auto done = transaction.commit(); !done) return tl::make_unexpected(done.error());
  return *changed == 1;
}

Stored<std::int64_t> SqliteStore::add_event(std::string_view account, const Event& event, std::size_t keep) {
  auto query = sql_.database().query(
      "INSERT INTO event (account_sid, device_sid, time, kind, detail, data) VALUES (?, ?, ?, ?, ?, ?) RETURNING id");
  if (!query) return tl::make_unexpected(query.error());
  query->bind(account, event.device_sid, event.time, event.kind, event.detail, event.data);
  auto row = query->step();
  if (!row) return tl::make_unexpected(row.error());
  const std::int64_t id = query->number(0);
  if (row = query->step(); !row) return tl::make_unexpected(row.error());
  if (id % 64 == 0) {  // trimming costs a commit, so not each time
    if (auto done = sql_.run("DELETE FROM event WHERE id <= ?", id - static_cast<std::int64_t>(keep)); !done) {
      return tl::make_unexpected(done.error());
    }
  }
  return id;
}

Stored<std::vector<Event>> SqliteStore::events(std::string_view account, std::string_view device_sid,
                                               std::int64_t after, Microseconds since, std::size_t limit) {
  return sql_.rows<Event>(
      "SELECT id, device_sid, time, kind, detail, data FROM event WHERE account_sid = ?1 AND id > ?2 AND time >= ?3 "
      "AND "
      "(?4 = '' OR device_sid = ?4) ORDER BY id LIMIT ?5",
      [](const Query& row) {
        return Event{row.number(0), row.text(1), row.number(2), row.text(3), row.text(4), row.text(5)};
      },
      account, after, since, device_sid, static_cast<std::int64_t>(limit));
}

}  // namespace mv::cloud
