// Tokens and signer keys of an account.
#include "cloud/store/sqlite_store_class.h"

namespace mv::cloud {
namespace {

using sqlite::Bytes;
using sqlite::explain_conflict;
using sqlite::not_found;
using sqlite::Query;
using sqlite::Table;

Token read_token(const Query& row) {
  return {row.text(0), row.text(1), row.text(2), row.text(3), row.text(4), row.number(5), row.optional_number(6)};
}
constexpr Table<Token> kTokens{"token", "sid, account_sid, name, salt, hash, created, expires", 7, "account_sid",
                               read_token};

Signer read_signer(const Query& row) {
  return {row.text(0), row.text(1), row.text(2), row.text(3), row.text(4), row.number(5)};
}
constexpr Table<Signer> kSigners{"signer", "key_id, account_sid, name, public_key, point, created", 6, "account_sid",
                                 read_signer};

}  // namespace

Stored<Page<Token>> SqliteStore::tokens(std::string_view account, const PageRequest& page) {
  return sql_.list(kTokens, account, page);
}

Stored<Page<Signer>> SqliteStore::signers(std::string_view account, const PageRequest& page) {
  return sql_.list(kSigners, account, page);
}

Stored<void> SqliteStore::add_token(const Token& token) {
  return sql_.run(
      "INSERT INTO token (sid, account_sid, name, salt, hash, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?)",
      token.sid, token.account_sid, token.name, Bytes{token.salt}, Bytes{token.hash}, token.created, token.expires);
}

Stored<Token> SqliteStore::token(std::string_view sid) {
  auto found = sql_.rows("SELECT sid, account_sid, name, salt, hash, created, expires FROM token WHERE sid = ?",
                         read_token, sid);
  if (!found) return tl::make_unexpected(found.error());
  if (found->empty()) return not_found("there is no such token");
  return std::move(found->front());
}

Stored<void> SqliteStore::remove_token(std::string_view account, std::string_view sid) {
  const auto changed = sql_.change("DELETE FROM token WHERE account_sid = ? AND sid = ?", account, sid);
  if (!changed) return tl::make_unexpected(changed.error());
  if (*changed == 0) return not_found("there is no token " + std::string(sid));
  return {};
}

Stored<void> SqliteStore::add_signer(const Signer& signer) {
  return explain_conflict(
      sql_.run("INSERT INTO signer (key_id, account_sid, name, public_key, point, created) VALUES (?, ?, ?, ?, ?, ?)",
               signer.key_id, signer.account_sid, signer.name, signer.public_key, Bytes{signer.point}, signer.created),
      "the signer key " + signer.key_id + " is there already");
}

Stored<void> SqliteStore::remove_signer(std::string_view account, std::string_view key_id) {
  const auto changed = sql_.change("DELETE FROM signer WHERE account_sid = ? AND key_id = ?", account, key_id);
  if (!changed) return tl::make_unexpected(changed.error());
  if (*changed == 0) return not_found("there is no signer key " + std::string(key_id));
  return {};
}

}  // namespace mv::cloud
