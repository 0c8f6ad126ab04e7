// Devices: what they are to do, what they said last, and which connection is theirs.
#include "cloud/store/sqlite_store_class.h"

namespace mv::cloud {
namespace {

using sqlite::Bytes;
using sqlite::conflict;
using sqlite::explain_conflict;
using sqlite::not_found;
using sqlite::Query;
using sqlite::Table;
using sqlite::TextOrNull;
using sqlite::Transaction;

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
  device.facts.boot_detail = row.text(34);
  device.learned_keep_alive_ms = row.word(35);
  device.desired.logging_expires = row.optional_number(36);
  device.report.wait = static_cast<int>(row.number(37));
  device.report.wait_left_sec = row.word(38);
  device.report.bytes_received = row.word(39);
  device.report.noted_state = row.text(40);
  device.report.noted_generation = row.unsigned_number(41);
  device.report.noted = row.optional_number(42);
  return device;
}
constexpr Table<Device> kDevices{
    "device",
    "sid, account_sid, unique_name, generation, target_sid, force, restart_generation, logging_enabled, targeted, "
    "state, running_hash, fetching_hash, seen_generation, bytes_done, bytes_total, error, detail, "
    "done_restart_generation, restarts, reported, "
    "board, microvisor_version, boot_id, boot_count, wake_reason, log_lost, tls_pool_size, tls_pool_high_water, "
    "tls_stack_size, tls_stack_high_water, epoch, connection_changed, created, updated, boot_detail, "
    "learned_keep_alive, logging_expires, wait, wait_left, bytes_received, noted_state, noted_generation, noted",
    43, "account_sid", read_device};

}  // namespace

Stored<Page<Device>> SqliteStore::devices(std::string_view account, const PageRequest& page) {
  return sql_.list(kDevices, account, page);
}

Stored<void> SqliteStore::add_device(const Device& device) {
  return explain_conflict(
      sql_.run(
          "INSERT INTO device (sid, account_sid, unique_name, generation, force, restart_generation, logging_enabled, "
          "logging_expires, board, created, updated) VALUES (?, ?, ?, 1, 0, 0, ?, ?, ?, ?, ?)",
          device.sid, device.account_sid, TextOrNull{device.unique_name}, device.desired.logging_enabled,
          device.desired.logging_expires, device.facts.board, device.created, device.updated),
      "there is a device with the unique name '" + device.unique_name + "' already: choose another");
}

Stored<Device> SqliteStore::device(std::string_view sid) {
  auto found = sql_.rows(std::string("SELECT ") + kDevices.columns + " FROM device WHERE sid = ?", read_device, sid);
  if (!found) return tl::make_unexpected(found.error());
  if (found->empty()) return not_found("there is no device " + std::string(sid));
  return std::move(found->front());
}

Stored<Device> SqliteStore::find_device(std::string_view account, std::string_view key) {
  const std::string select = std::string("SELECT ") + kDevices.columns + " FROM device WHERE account_sid = ?1 AND ";
  auto found = sql_.rows(select + "(sid = ?2 OR unique_name = ?2)", read_device, account, key);
  if (!found) return tl::make_unexpected(found.error());
  if (found->empty() && !key.empty()) {
    found = sql_.rows(select + "(substr(sid, 1, length(?2)) = ?2 OR substr(unique_name, 1, length(?2)) = ?2) LIMIT 2",
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
      sql_.run("UPDATE device SET unique_name = ?, generation = ?, target_sid = ?, force = ?, restart_generation = ?, "
               "logging_enabled = ?, logging_expires = ?, targeted = ?, updated = ? WHERE sid = ?",
               TextOrNull{device.unique_name}, desired.generation, TextOrNull{desired.app_sid}, desired.force,
               desired.restart_generation, desired.logging_enabled, desired.logging_expires, desired.targeted, now,
               device.sid),
      "there is a device with the unique name '" + device.unique_name + "' already: choose another");
}

Stored<std::uint64_t> SqliteStore::begin_connection(std::string_view sid, const DeviceFacts& facts, Microseconds now) {
  auto query = sql_.database().query(
      "UPDATE device SET epoch = epoch + 1, connection_changed = ?, board = ?, microvisor_version = ?, boot_id = ?, "
      "boot_count = ?, wake_reason = ?, log_lost = ?, tls_pool_size = ?, tls_pool_high_water = ?, tls_stack_size = ?, "
      "tls_stack_high_water = ?, boot_detail = ? WHERE sid = ? RETURNING epoch");
  if (!query) return tl::make_unexpected(query.error());
  query->bind(now, facts.board, facts.microvisor_version, facts.boot_id, facts.boot_count, facts.wake_reason,
              facts.log_lost, facts.tls_pool_size, facts.tls_pool_high_water, facts.tls_stack_size,
              facts.tls_stack_high_water, facts.boot_detail, sid);
  auto row = query->step();
  if (!row) return tl::make_unexpected(row.error());
  if (!*row) return not_found("there is no device " + std::string(sid));
  const std::uint64_t epoch = query->unsigned_number(0);
  if (row = query->step(); !row) return tl::make_unexpected(row.error());  // runs the UPDATE to its end
  return epoch;
}

Stored<void> SqliteStore::end_connection(std::string_view sid, std::uint64_t epoch, Microseconds now) {
  return sql_.run("UPDATE device SET connection_changed = ? WHERE sid = ? AND epoch = ?", now, sid, epoch);
}

Stored<void> SqliteStore::update_keep_alive(std::string_view sid, std::uint32_t learned_ms) {
  return sql_.run("UPDATE device SET learned_keep_alive = ? WHERE sid = ?", learned_ms, sid);
}

Stored<void> SqliteStore::update_report(std::string_view sid, const Report& report) {
  return sql_.run(
      "UPDATE device SET state = ?, running_hash = ?, fetching_hash = ?, seen_generation = ?, bytes_done = ?, "
      "bytes_total = ?, error = ?, detail = ?, done_restart_generation = ?, restarts = ?, reported = ?, wait = ?, "
      "wait_left = ?, bytes_received = ?, noted_state = ?, noted_generation = ?, noted = ? WHERE sid = ?",
      report.state, Bytes{report.running_hash}, Bytes{report.target_hash}, report.generation, report.bytes_done,
      report.bytes_total, report.error, report.detail, report.restart_generation, report.restarts, report.reported,
      report.wait, report.wait_left_sec, report.bytes_received, report.noted_state, report.noted_generation,
      report.noted, sid);
}

// Events stay: they are the account's record of what was done.
Stored<void> SqliteStore::remove_device(std::string_view account, std::string_view sid) {
  Transaction transaction(sql_.database());
  if (auto done = transaction.begin(); !done) return done;
  const auto removed = sql_.change("DELETE FROM device WHERE account_sid = ? AND sid = ?", account, sid);
  if (!removed) return tl::make_unexpected(removed.error());
  if (*removed == 0) return not_found("there is no device " + std::string(sid));
  if (auto done = sql_.run("DELETE FROM log WHERE device_sid = ?", sid); !done) return done;
  if (auto done = sql_.run("DELETE FROM crash WHERE device_sid = ?", sid); !done) return done;
  return transaction.commit();
}

}  // namespace mv::cloud
