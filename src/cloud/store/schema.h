// The tables. `ord` rises with each record made and is what lists are paged by. Hashes and device bytes are BLOBs,
// unsigned 64-bit numbers are stored as their signed twins. Version: PRAGMA user_version.
//
// A database begins with kSchema, version 1, whatever its age; each of kChanges makes the next version of it.
#pragma once

#include <array>

namespace mv::cloud {

inline constexpr const char* kSchema = R"sql(
CREATE TABLE token (
  ord INTEGER PRIMARY KEY AUTOINCREMENT, sid TEXT NOT NULL UNIQUE, account_sid TEXT NOT NULL, name TEXT NOT NULL,
  salt BLOB NOT NULL, hash BLOB NOT NULL, created INTEGER NOT NULL, expires INTEGER);
CREATE TABLE signer (
  ord INTEGER PRIMARY KEY AUTOINCREMENT, key_id TEXT NOT NULL, account_sid TEXT NOT NULL, name TEXT NOT NULL,
  public_key TEXT NOT NULL, point BLOB NOT NULL, created INTEGER NOT NULL, UNIQUE (account_sid, key_id));
CREATE TABLE app (
  ord INTEGER PRIMARY KEY AUTOINCREMENT, sid TEXT NOT NULL UNIQUE, account_sid TEXT NOT NULL, unique_name TEXT,
  manifest_hash BLOB NOT NULL, manifest_size INTEGER NOT NULL, bundle_hash BLOB NOT NULL, bundle_size INTEGER NOT NULL,
  name TEXT NOT NULL, version TEXT NOT NULL, build_id BLOB NOT NULL, board TEXT NOT NULL, signer_id TEXT NOT NULL,
  debuggable INTEGER NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL,
  UNIQUE (account_sid, unique_name), UNIQUE (account_sid, manifest_hash));
CREATE TABLE app_blob (
  app_sid TEXT NOT NULL REFERENCES app (sid) ON DELETE CASCADE, hash BLOB NOT NULL, size INTEGER NOT NULL,
  for_device INTEGER NOT NULL, PRIMARY KEY (app_sid, hash)) WITHOUT ROWID;
CREATE INDEX app_blob_by_hash ON app_blob (hash);
CREATE TABLE device (
  ord INTEGER PRIMARY KEY AUTOINCREMENT, sid TEXT NOT NULL UNIQUE, account_sid TEXT NOT NULL, unique_name TEXT,
  generation INTEGER NOT NULL, target_sid TEXT REFERENCES app (sid), force INTEGER NOT NULL,
  restart_generation INTEGER NOT NULL, logging_enabled INTEGER NOT NULL, targeted INTEGER,
  state INTEGER NOT NULL DEFAULT 0, running_hash BLOB NOT NULL DEFAULT x'', fetching_hash BLOB NOT NULL DEFAULT x'',
  seen_generation INTEGER NOT NULL DEFAULT 0, bytes_done INTEGER NOT NULL DEFAULT 0,
  bytes_total INTEGER NOT NULL DEFAULT 0, error INTEGER NOT NULL DEFAULT 0, detail TEXT NOT NULL DEFAULT '',
  done_restart_generation INTEGER NOT NULL DEFAULT 0, restarts INTEGER NOT NULL DEFAULT 0, reported INTEGER,
  board TEXT NOT NULL DEFAULT '', microvisor_version TEXT NOT NULL DEFAULT '', boot_id INTEGER NOT NULL DEFAULT 0,
  boot_count INTEGER NOT NULL DEFAULT 0, wake_reason INTEGER NOT NULL DEFAULT 0, log_lost INTEGER NOT NULL DEFAULT 0,
  tls_pool_size INTEGER NOT NULL DEFAULT 0, tls_pool_high_water INTEGER NOT NULL DEFAULT 0,
  tls_stack_size INTEGER NOT NULL DEFAULT 0, tls_stack_high_water INTEGER NOT NULL DEFAULT 0,
  epoch INTEGER NOT NULL DEFAULT 0, connection_changed INTEGER, created INTEGER NOT NULL, updated INTEGER NOT NULL,
  UNIQUE (account_sid, unique_name));
CREATE TABLE log (
  id INTEGER PRIMARY KEY AUTOINCREMENT, device_sid TEXT NOT NULL, boot_id INTEGER NOT NULL, sequence INTEGER NOT NULL,
  time INTEGER NOT NULL, uptime INTEGER NOT NULL, source INTEGER NOT NULL, text BLOB NOT NULL,
  UNIQUE (device_sid, boot_id, sequence));
CREATE INDEX log_by_device ON log (device_sid, id);
CREATE TABLE crash (
  ord INTEGER PRIMARY KEY AUTOINCREMENT, device_sid TEXT NOT NULL, number INTEGER NOT NULL, received INTEGER NOT NULL,
  record BLOB NOT NULL, digest BLOB NOT NULL, UNIQUE (device_sid, digest));
CREATE TABLE event (
  id INTEGER PRIMARY KEY AUTOINCREMENT, account_sid TEXT NOT NULL, device_sid TEXT NOT NULL, time INTEGER NOT NULL,
  kind TEXT NOT NULL, detail TEXT NOT NULL, data TEXT NOT NULL);
CREATE INDEX event_by_device ON event (device_sid, id);
PRAGMA user_version = 1;
)sql";

inline constexpr std::array kChanges = {
    "ALTER TABLE device ADD COLUMN boot_detail TEXT NOT NULL DEFAULT ''; PRAGMA user_version = 2;",
    "ALTER TABLE device ADD COLUMN learned_keep_alive INTEGER NOT NULL DEFAULT 0; PRAGMA user_version = 3;",
    // Whoever has logging on keeps it for the day that a device gets which has it switched on now.
    "ALTER TABLE device ADD COLUMN logging_expires INTEGER; "
    "UPDATE device SET logging_expires = (strftime('%s', 'now') + 86400) * 1000000 WHERE logging_enabled <> 0; "
    "PRAGMA user_version = 4;",
    // What was there before is no news.
    "ALTER TABLE device ADD COLUMN wait INTEGER NOT NULL DEFAULT 0; "
    "ALTER TABLE device ADD COLUMN wait_left INTEGER NOT NULL DEFAULT 0; "
    "ALTER TABLE device ADD COLUMN bytes_received INTEGER NOT NULL DEFAULT 0; "
    "ALTER TABLE device ADD COLUMN noted_state TEXT NOT NULL DEFAULT ''; "
    "ALTER TABLE device ADD COLUMN noted_generation INTEGER NOT NULL DEFAULT 0; "
    "ALTER TABLE device ADD COLUMN noted INTEGER; "
    "UPDATE device SET noted_state = 'up-to-date', noted_generation = generation; PRAGMA user_version = 5;",
    "CREATE TABLE microvisor ("
    "  ord INTEGER PRIMARY KEY AUTOINCREMENT, sid TEXT NOT NULL UNIQUE, account_sid TEXT NOT NULL, hash BLOB NOT NULL,"
    "  size INTEGER NOT NULL, version INTEGER NOT NULL, board TEXT NOT NULL, created INTEGER NOT NULL,"
    "  UNIQUE (account_sid, hash)); "
    "CREATE TABLE device_microvisor ("
    "  device_sid TEXT PRIMARY KEY REFERENCES device (sid) ON DELETE CASCADE,"
    "  target_sid TEXT REFERENCES microvisor (sid), number INTEGER NOT NULL DEFAULT 0,"
    "  trial_sec INTEGER NOT NULL DEFAULT 0, force INTEGER NOT NULL DEFAULT 0, targeted INTEGER,"
    "  state INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 0, seen_number INTEGER NOT NULL DEFAULT 0,"
    "  bytes_done INTEGER NOT NULL DEFAULT 0, bytes_total INTEGER NOT NULL DEFAULT 0,"
    "  error INTEGER NOT NULL DEFAULT 0, detail TEXT NOT NULL DEFAULT ''); "
    "PRAGMA user_version = 6;",
    "CREATE TABLE device_keys ("
    "  device_sid TEXT PRIMARY KEY REFERENCES device (sid) ON DELETE CASCADE, change BLOB NOT NULL DEFAULT x'',"
    "  ordered INTEGER, status INTEGER NOT NULL DEFAULT 0, error INTEGER NOT NULL DEFAULT 0,"
    "  sequence INTEGER NOT NULL DEFAULT 0, threshold INTEGER NOT NULL DEFAULT 0, keys BLOB NOT NULL DEFAULT x''); "
    "PRAGMA user_version = 7;",
};

inline constexpr int kSchemaVersion = 1 + static_cast<int>(kChanges.size());

}  // namespace mv::cloud
