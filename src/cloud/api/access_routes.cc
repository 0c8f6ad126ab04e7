// /v1/Signers and /v1/Tokens: whose bundles are accepted, and who may use the API.
#include "cloud/access.h"
#include "cloud/api/answers.h"
#include "cloud/api/api.h"
#include "cloud/pki.h"

namespace mv::cloud {
namespace {

HttpReply no_content() {
  HttpReply reply;
  reply.status = 204;
  return reply;
}

std::string field(const Call& call, std::string_view name) {
  const auto found = call.fields.find(name);
  return found == call.fields.end() ? std::string() : found->second;
}

Json signer_json(const Signer& signer) {
  Json json;
  json["key_id"] = signer.key_id;
  json["public_key"] = signer.public_key;
  json["name"] = signer.name;
  json["date_created"] = to_rfc3339(signer.created);
  json["url"] = "/v1/Signers/" + signer.key_id;
  return json;
}

HttpReply list_signers(Call& call) {
  const auto page = page_request(call.request.query);
  if (!page) return error_reply(400, page.error());
  return list_reply(call, "signers", call.services.store.signers(call.account, *page), signer_json);
}

HttpReply create_signer(Call& call) {
  const std::string pem = field(call, "PublicKey");
  if (pem.empty()) return error_reply(400, "give the key as PublicKey, in PEM");
  const auto point = public_point_from_pem(pem);
  if (!point) return error_reply(400, point.error());
  const std::string name = field(call, "Name");
  if (name.size() > 128) return error_reply(400, "Name is longer than 128 bytes");
  const Signer signer{signer_key_id(*point), call.account, name, pem, *point, call.services.now()};
  if (const auto added = call.services.store.add_signer(signer); !added) return error_reply(added.error());
  return json_reply(201, signer_json(signer));
}

HttpReply remove_signer(Call& call) {
  const auto removed = call.services.store.remove_signer(call.account, call.path[0]);
  return removed ? no_content() : error_reply(removed.error());
}

Json token_json(const Token& token) {
  Json json;
  json["sid"] = token.sid;
  json["name"] = token.name;
  json["date_created"] = to_rfc3339(token.created);
  json["date_expires"] = time_or_null(token.expires);
  json["url"] = "/v1/Tokens/" + token.sid;
  return json;
}

HttpReply list_tokens(Call& call) {
  const auto page = page_request(call.request.query);
  if (!page) return error_reply(400, page.error());
  return list_reply(call, "tokens", call.services.store.tokens(call.account, *page), token_json);
}

HttpReply create_token(Call& call) {
  const Microseconds now = call.services.now();
  std::optional<Microseconds> expires;
  if (const std::string text = field(call, "DateExpires"); !text.empty()) {
    expires = parse_time(text, now);
    if (!expires || *expires <= now) {
      return error_reply(400, "DateExpires must be a time to come, as 2030-01-31T12:00:00Z");
    }
  }
  const std::string name = field(call, "Name");
  if (name.size() > 128) return error_reply(400, "Name is longer than 128 bytes");
  const NewToken made = make_token(call.account, name, now, expires);
  if (const auto added = call.services.store.add_token(made.token); !added) return error_reply(added.error());
  Json json = token_json(made.token);
  json["token"] = made.secret;
  return json_reply(201, json);
}

HttpReply remove_token(Call& call) {
  const auto removed = call.services.store.remove_token(call.account, call.path[0]);
  return removed ? no_content() : error_reply(removed.error());
}

}  // namespace

void add_access_routes(std::vector<Api::Entry>& entries) {
  entries.push_back({"GET", "/v1/Signers", list_signers});
  entries.push_back({"POST", "/v1/Signers", create_signer});
  entries.push_back({"DELETE", "/v1/Signers/{}", remove_signer});
  entries.push_back({"GET", "/v1/Tokens", list_tokens});
  entries.push_back({"POST", "/v1/Tokens", create_token});
  entries.push_back({"DELETE", "/v1/Tokens/{}", remove_token});
}

}  // namespace mv::cloud
