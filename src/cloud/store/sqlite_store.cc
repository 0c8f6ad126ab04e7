#include "cloud/store/sqlite_store.h"

#include "cloud/store/schema.h"
#include "cloud/store/sqlite_store_class.h"

namespace mv::cloud {
namespace {

using sqlite::Database;
using sqlite::Transaction;

Stored<void> prepare_schema(Database& database) {
  std::int64_t version = 0;
  {
    auto query = database.query("PRAGMA user_version");
    if (!query) return tl::make_unexpected(query.error());
    if (const auto row = query->step(); !row) return tl::make_unexpected(row.error());
    version = query->number(0);
  }
  if (version == kSchemaVersion) return {};
  if (version < 0 || version > kSchemaVersion) {
    return tl::make_unexpected(
        StoreError{StoreError::Kind::kFailed, "the database was made by a newer mvcloud (schema " +
                                                  std::to_string(version) + "): run that version or restore a backup"});
  }
  Transaction transaction(database);
  if (auto done = transaction.begin(); !done) return done;
  if (version == 0) {
    if (auto done = database.script(kSchema); !done) return done;
    version = 1;
  }
  for (auto change = static_cast<std::size_t>(version - 1); change < kChanges.size(); ++change) {
    if (auto done = database.script(kChanges[change]); !done) return done;
  }
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
