#include "cloud/access.h"

namespace mv::cloud {
namespace {

struct Credentials {
  std::string account;  // empty: Bearer
  std::string secret;
};

std::optional<Credentials> read_header(std::string_view header) {
  constexpr std::string_view kBearer = "Bearer ";
  constexpr std::string_view kBasic = "Basic ";
  if (header.starts_with(kBearer)) return Credentials{{}, std::string(header.substr(kBearer.size()))};
  if (!header.starts_with(kBasic)) return std::nullopt;
  const auto pair = from_base64(header.substr(kBasic.size()));
  if (!pair) return std::nullopt;
  const std::size_t colon = pair->find(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  return Credentials{pair->substr(0, colon), pair->substr(colon + 1)};
}

constexpr const char* kRefused = "the account or the token is not known here: check them with `mvctl context show`";

}  // namespace

NewToken make_token(std::string_view account, std::string_view name, Microseconds now,
                    std::optional<Microseconds> expires) {
  NewToken made;
  made.token.sid = new_sid("TK");
  made.token.account_sid = account;
  made.token.name = name;
  made.token.salt = random_bytes(16);
  made.secret = made.token.sid + "_" + to_hex(random_bytes(32));
  made.token.hash = sha256(made.token.salt + made.secret);
  made.token.created = now;
  made.token.expires = expires;
  return made;
}

Result<std::string> authenticate(Store& store, std::string_view authorization, Microseconds now) {
  const auto credentials = read_header(authorization);
  if (!credentials) {
    return fail("this needs an Authorization header: HTTP Basic with account id and token, or Bearer with the token");
  }
  const std::string_view sid = std::string_view(credentials->secret).substr(0, credentials->secret.find('_'));
  if (!is_sid(sid, "TK")) return fail(kRefused);
  const auto token = store.token(sid);
  if (!token) {
    return fail(token.error().kind == StoreError::Kind::kNotFound ? Sentence(kRefused) : token.error().sentence);
  }
  if (!equal_in_constant_time(sha256(token->salt + credentials->secret), token->hash)) return fail(kRefused);
  if (!credentials->account.empty() && credentials->account != token->account_sid) return fail(kRefused);
  if (token->expires && *token->expires <= now) {
    return fail("the token expired at " + to_rfc3339(*token->expires) + ": make another with `mvctl tokens create`");
  }
  return token->account_sid;
}

}  // namespace mv::cloud
