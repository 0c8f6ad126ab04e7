// Apps and the blobs that their bundles hold.
#include "cloud/store/sqlite_store_class.h"

namespace mv::cloud {
namespace {

using sqlite::Bytes;
using sqlite::explain_conflict;
using sqlite::not_found;
using sqlite::Query;
using sqlite::Table;
using sqlite::TextOrNull;
using sqlite::Transaction;

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

}  // namespace

Stored<Page<App>> SqliteStore::apps(std::string_view account, const PageRequest& page) {
  return sql_.list(kApps, account, page);
}

Stored<void> SqliteStore::add_app(const App& app, const std::vector<Blob>& layers) {
  Transaction transaction(sql_.database());
  if (auto done = transaction.begin(); !done) return done;
  auto added = sql_.run(
      std::string("INSERT INTO app (") + kApps.columns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      app.sid, app.account_sid, TextOrNull{app.unique_name}, Bytes{app.manifest.hash}, app.manifest.size,
      Bytes{app.bundle.hash}, app.bundle.size, app.name, app.version, Bytes{app.build_id}, app.board, app.signer_id,
      app.debuggable, app.created, app.updated);
  if (!added) {
    return explain_conflict(std::move(added), "there is an app with the unique name '" + app.unique_name +
                                                  "' or with this very manifest already: choose another name");
  }
  const std::string add_blob = "INSERT OR IGNORE INTO app_blob (app_sid, hash, size, for_device) VALUES (?, ?, ?, ?)";
  if (auto done = sql_.run(add_blob, app.sid, Bytes{app.manifest.hash}, app.manifest.size, true); !done) return done;
  if (auto done = sql_.run(add_blob, app.sid, Bytes{app.bundle.hash}, app.bundle.size, false); !done) return done;
  for (const Blob& layer : layers) {
    if (auto done = sql_.run(add_blob, app.sid, Bytes{layer.hash}, layer.size, true); !done) return done;
  }
  return transaction.commit();
}

Stored<App> SqliteStore::app(std::string_view account, std::string_view key) {
  auto found =
      sql_.rows(std::string("SELECT ") + kApps.columns +
                    " FROM app WHERE account_sid = ?1 AND (sid = ?2 OR unique_name = ?2 OR manifest_hash = ?3)",
                read_app, account, key, Bytes{key});
  if (!found) return tl::make_unexpected(found.error());
  if (found->empty()) return not_found("there is no app " + std::string(key));
  return std::move(found->front());
}

Stored<std::vector<std::string>> SqliteStore::remove_app(std::string_view account, std::string_view sid) {
  Transaction transaction(sql_.database());
  if (auto done = transaction.begin(); !done) return tl::make_unexpected(done.error());
  auto orphans = sql_.rows<std::string>(
      "SELECT hash FROM app_blob AS mine WHERE app_sid = ?1 AND NOT EXISTS "
      "(SELECT 1 FROM app_blob AS other WHERE other.hash = mine.hash AND other.app_sid <> ?1) AND NOT EXISTS "
      "(SELECT 1 FROM microvisor WHERE microvisor.hash = mine.hash)",
      [](const Query& row) { return row.text(0); }, sid);
  if (!orphans) return orphans;
  const auto changed = explain_conflict(sql_.change("DELETE FROM app WHERE account_sid = ? AND sid = ?", account, sid),
                                        "a device still targets this app: give the device another TargetApp first");
  if (!changed) return tl::make_unexpected(changed.error());
  if (*changed == 0) return not_found("there is no app " + std::string(sid));
  if (auto done = transaction.commit(); !done) return tl::make_unexpected(done.error());
  return orphans;
}

Stored<Blob> SqliteStore::app_blob(std::string_view app_sid, std::string_view hash) {
  auto found = sql_.rows<Blob>(
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
  auto query = sql_.database().query(
      "SELECT 1 FROM app_blob WHERE hash = ?1 UNION SELECT 1 FROM microvisor WHERE hash = ?1 LIMIT 1");
  if (!query) return tl::make_unexpected(query.error());
  return query->bind(Bytes{hash}).step();
}

}  // namespace mv::cloud
