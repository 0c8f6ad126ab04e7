// What every table of the store needs: statements with bound values, lists in pages, and errors with sentences.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cloud/store/sqlite.h"
#include "cloud/store/store.h"

namespace mv::cloud::sqlite {

inline tl::unexpected<StoreError> not_found(Sentence sentence) {
  return tl::make_unexpected(StoreError{StoreError::Kind::kNotFound, std::move(sentence)});
}
inline tl::unexpected<StoreError> conflict(Sentence sentence) {
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

class Statements {
 public:
  explicit Statements(std::unique_ptr<Database> database) : db_(std::move(database)) {}

  Database& database() { return *db_; }

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

  // A page of the owner's records, newest first.
  template <typename T>
  Stored<Page<T>> list(const Table<T>& table, std::string_view owner, const PageRequest& page);

 private:
  std::unique_ptr<Database> db_;
};

template <typename T>
Stored<Page<T>> Statements::list(const Table<T>& table, std::string_view owner, const PageRequest& page) {
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

}  // namespace mv::cloud::sqlite
