#include "cloud/store/sqlite.h"

namespace mv::cloud::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 5000;  // `mvcloud provision` writes beside a running server

StoreError failure(sqlite3* database) {
  const int code = sqlite3_extended_errcode(database);
  const bool rule = (code & 0xFF) == SQLITE_CONSTRAINT;
  return {rule ? StoreError::Kind::kConflict : StoreError::Kind::kFailed,
          std::string("the database refused a change: ") + sqlite3_errmsg(database)};
}

constexpr const char* kSettings =
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=FULL;"
    "PRAGMA foreign_keys=ON;";

}  // namespace

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Stored<bool> Query::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return tl::make_unexpected(failure(database_));
}

Stored<void> Query::run() {
  if (const auto row = step(); !row) return tl::make_unexpected(row.error());
  return {};
}

std::string Query::text(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

std::optional<std::int64_t> Query::optional_number(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return number(column);
}

void Query::bind_one(int index, std::string_view value) {
  sqlite3_bind_text64(statement_, index, value.data() == nullptr ? "" : value.data(), value.size(), SQLITE_TRANSIENT,
                      SQLITE_UTF8);
}

void Query::bind_one(int index, Bytes value) {
  sqlite3_bind_blob64(statement_, index, value.value.data() == nullptr ? "" : value.value.data(), value.value.size(),
                      SQLITE_TRANSIENT);
}

void Query::bind_one(int index, TextOrNull value) {
  if (value.value.empty()) {
    sqlite3_bind_null(statement_, index);
  } else {
    bind_one(index, value.value);
  }
}

void Query::bind_one(int index, std::optional<std::int64_t> value) {
  if (value) {
    bind_one(index, *value);
  } else {
    sqlite3_bind_null(statement_, index);
  }
}

Stored<std::unique_ptr<Database>> Database::open(const std::string& path) {
  std::unique_ptr<Database> database(new Database());
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path.c_str(), &database->handle_, flags, nullptr) != SQLITE_OK) {
    return tl::make_unexpected(StoreError{
        StoreError::Kind::kFailed, "cannot open the database " + path + ": " + sqlite3_errmsg(database->handle_)});
  }
  sqlite3_extended_result_codes(database->handle_, 1);
  sqlite3_busy_timeout(database->handle_, kBusyTimeoutMs);
  if (const auto done = database->script(kSettings); !done) return tl::make_unexpected(done.error());
  return database;
}

Database::~Database() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

Stored<void> Database::script(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return tl::make_unexpected(failure(handle_));
  return {};
}

Stored<Query> Database::query(const std::string& sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr &&
      sqlite3_prepare_v3(handle_, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return tl::make_unexpected(failure(handle_));
  }
  return Query(handle_, statement);
}

Transaction::~Transaction() {
  if (open_) static_cast<void>(database_.script("ROLLBACK"));
}

Stored<void> Transaction::begin() {
  auto done = database_.script("BEGIN IMMEDIATE");
  open_ = done.has_value();
  return done;
}

Stored<void> Transaction::commit() {
  auto done = database_.script("COMMIT");
  if (done) open_ = false;
  return done;
}

}  // namespace mv::cloud::sqlite
