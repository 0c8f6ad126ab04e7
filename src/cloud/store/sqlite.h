// SQLite with results instead of codes: a connection, prepared statements that reset themselves, transactions.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "cloud/store/store.h"

namespace mv::cloud::sqlite {

// Bytes that are bound as a BLOB; strings are bound as TEXT.
struct Bytes {
  std::string_view value;
};

// Text that is bound as NULL if it is empty, so that UNIQUE allows many without.
struct TextOrNull {
  std::string_view value;
};

// A prepared statement in use; gives itself back on destruction. Columns are read after `step` returned true.
class Query {
 public:
  Query(sqlite3* database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}
  Query(Query&& other) noexcept : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)) {}
  Query& operator=(Query&&) = delete;
  ~Query();

  template <typename... Values>
  Query& bind(const Values&... values) {
    int index = 0;
    (bind_one(++index, values), ...);
    return *this;
  }

  // True if there is a row. Errors: kConflict for a broken UNIQUE or FOREIGN KEY rule, else kFailed.
  Stored<bool> step();
  // Runs a statement that gives no rows.
  Stored<void> run();

  std::string text(int column) const;
  std::int64_t number(int column) const { return sqlite3_column_int64(statement_, column); }
  std::uint64_t unsigned_number(int column) const { return static_cast<std::uint64_t>(number(column)); }
  std::uint32_t word(int column) const { return static_cast<std::uint32_t>(number(column)); }
  bool flag(int column) const { return number(column) != 0; }
  std::optional<std::int64_t> optional_number(int column) const;

 private:
  void bind_one(int index, std::string_view value);
  void bind_one(int index, Bytes value);
  void bind_one(int index, TextOrNull value);
  void bind_one(int index, const std::string& value) { bind_one(index, std::string_view(value)); }
  void bind_one(int index, std::int64_t value) { sqlite3_bind_int64(statement_, index, value); }
  void bind_one(int index, std::uint64_t value) { bind_one(index, static_cast<std::int64_t>(value)); }
  void bind_one(int index, std::uint32_t value) { bind_one(index, static_cast<std::int64_t>(value)); }
  void bind_one(int index, int value) { bind_one(index, static_cast<std::int64_t>(value)); }
  void bind_one(int index, bool value) { bind_one(index, static_cast<std::int64_t>(value)); }
  void bind_one(int index, std::optional<std::int64_t> value);

  sqlite3* database_;
  sqlite3_stmt* statement_;
};

class Database {
 public:
  // Opens or makes the file: WAL, synchronous=FULL (an answered commit survives a power cut), foreign keys.
  static Stored<std::unique_ptr<Database>> open(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs a script of statements, for the schema.
  Stored<void> script(const char* sql);

  // The statement, prepared once and kept. Values are bound, never part of `sql`.
  Stored<Query> query(const std::string& sql);

  int changes() const { return sqlite3_changes(handle_); }

 private:
  Database() = default;

  sqlite3* handle_ = nullptr;
  std::unordered_map<std::string, sqlite3_stmt*> statements_;
};

// Rolls back unless `commit` was called.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) {}
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  Stored<void> begin();
  Stored<void> commit();

 private:
  Database& database_;
  bool open_ = false;
};

}  // namespace mv::cloud::sqlite
