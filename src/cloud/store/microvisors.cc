// Images of the microvisor, and which device is to run which.
#include "cloud/store/sqlite_store_class.h"

namespace mv::cloud {
namespace {

using sqlite::Bytes;
using sqlite::explain_conflict;
using sqlite::not_found;
using sqlite::Query;
using sqlite::Table;
using sqlite::TextOrNull;

Microvisor read_microvisor(const Query& row) {
  Microvisor microvisor;
  microvisor.sid = row.text(0);
  microvisor.account_sid = row.text(1);
  microvisor.image = {row.text(2), row.unsigned_number(3)};
  microvisor.version = row.word(4);
  microvisor.board = row.text(5);
  microvisor.created = row.number(6);
  return microvisor;
}
constexpr Table<Microvisor> kMicrovisors{"microvisor", "sid, account_sid, hash, size, version, board, created", 7,
                                         "account_sid", read_microvisor};

DeviceMicrovisor read_device_microvisor(const Query& row) {
  DeviceMicrovisor device;
  device.target_sid = row.text(0);
  device.order = row.unsigned_number(1);
  device.trial_sec = row.word(2);
  device.force = row.flag(3);
  device.targeted = row.optional_number(4);
  device.state = static_cast<int>(row.number(5));
  device.version = row.word(6);
  device.seen_order = row.unsigned_number(7);
  device.bytes_done = row.word(8);
  device.bytes_total = row.word(9);
  device.error = static_cast<int>(row.number(10));
  device.detail = row.text(11);
  return device;
}

}  // namespace

Stored<void> SqliteStore::add_microvisor(const Microvisor& microvisor) {
  return explain_conflict(
      sql_.run(std::string("INSERT INTO microvisor (") + kMicrovisors.columns + ") VALUES (?, ?, ?, ?, ?, ?, ?)",
               microvisor.sid, microvisor.account_sid, Bytes{microvisor.image.hash}, microvisor.image.size,
               microvisor.version, microvisor.board, microvisor.created),
      "this very microvisor image is there already");
}

Stored<Microvisor> SqliteStore::microvisor(std::string_view account, std::string_view key) {
  auto found = sql_.rows(std::string("SELECT ") + kMicrovisors.columns +
                             " FROM microvisor WHERE account_sid = ?1 AND (sid = ?2 OR hash = ?3)",
                         read_microvisor, account, key, Bytes{key});
  if (!found) return tl::make_unexpected(found.error());
  if (found->empty()) return not_found("there is no microvisor image " + std::string(key));
  return std::move(found->front());
}

Stored<Page<Microvisor>> SqliteStore::microvisors(std::string_view account, const PageRequest& page) {
  return sql_.list(kMicrovisors, account, page);
}

Stored<void> SqliteStore::remove_microvisor(std::string_view account, std::string_view sid) {
  const auto changed =
      explain_conflict(sql_.change("DELETE FROM microvisor WHERE account_sid = ? AND sid = ?", account, sid),
                       "a device is still to run this microvisor: give the device another one first");
  if (!changed) return tl::make_unexpected(changed.error());
  if (*changed == 0) return not_found("there is no microvisor image " + std::string(sid));
  return {};
}

Stored<DeviceMicrovisor> SqliteStore::device_microvisor(std::string_view sid) {
  auto found = sql_.rows(
      "SELECT target_sid, number, trial_sec, force, targeted, state, version, seen_number, bytes_done, bytes_total, "
      "error, detail FROM device_microvisor WHERE device_sid = ?",
      read_device_microvisor, sid);
  if (!found) return tl::make_unexpected(found.error());
  return found->empty() ? DeviceMicrovisor() : std::move(found->front());
}

Stored<void> SqliteStore::order_microvisor(std::string_view sid, const DeviceMicrovisor& order) {
  return sql_.run(
      "INSERT INTO device_microvisor (device_sid, target_sid, number, trial_sec, force, targeted) "
      "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (device_sid) DO UPDATE SET target_sid = excluded.target_sid, "
      "number = excluded.number, trial_sec = excluded.trial_sec, force = excluded.force, targeted = excluded.targeted",
      sid, TextOrNull{order.target_sid}, order.order, order.trial_sec, order.force, order.targeted);
}

Stored<void> SqliteStore::update_microvisor_report(std::string_view sid, const DeviceMicrovisor& report) {
  return sql_.run(
      "INSERT INTO device_microvisor (device_sid, state, version, seen_number, bytes_done, bytes_total, error, detail) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device_sid) DO UPDATE SET state = excluded.state, "
      "version = excluded.version, seen_number = excluded.seen_number, bytes_done = excluded.bytes_done, "
      "bytes_total = excluded.bytes_total, error = excluded.error, detail = excluded.detail",
      sid, report.state, report.version, report.seen_order, report.bytes_done, report.bytes_total, report.error,
      report.detail);
}

}  // namespace mv::cloud
