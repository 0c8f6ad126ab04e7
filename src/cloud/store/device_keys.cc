// Whose bundles devices run, and changes of that.
#include "cloud/store/sqlite_store_class.h"

namespace mv::cloud {
namespace {

using sqlite::Bytes;
using sqlite::Query;

DeviceKeys read_device_keys(const Query& row) {
  DeviceKeys keys;
  keys.change = row.text(0);
  keys.ordered = row.optional_number(1);
  keys.status = static_cast<DeviceKeys::Status>(row.number(2));
  keys.error = static_cast<int>(row.number(3));
  keys.sequence = row.unsigned_number(4);
  keys.threshold = row.word(5);
  keys.keys = row.text(6);
  return keys;
}

}  // namespace

Stored<DeviceKeys> SqliteStore::device_keys(std::string_view sid) {
  auto found = sql_.rows(
      "SELECT change, ordered, status, error, sequence, threshold, keys FROM device_keys WHERE device_sid = ?",
      read_device_keys, sid);
  if (!found) return tl::make_unexpected(found.error());
  return found->empty() ? DeviceKeys() : std::move(found->front());
}

Stored<void> SqliteStore::update_device_keys(std::string_view sid, const DeviceKeys& keys) {
  return sql_.run(
      "INSERT INTO device_keys (device_sid, change, ordered, status, error, sequence, threshold, keys) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device_sid) DO UPDATE SET change = excluded.change, "
      "ordered = excluded.ordered, status = excluded.status, error = excluded.error, sequence = excluded.sequence, "
      "threshold = excluded.threshold, keys = excluded.keys",
      sid, Bytes{keys.change}, keys.ordered, static_cast<int>(keys.status), keys.error, keys.sequence, keys.threshold,
      Bytes{keys.keys});
}

}  // namespace mv::cloud
