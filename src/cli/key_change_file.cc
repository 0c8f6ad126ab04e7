#include "cli/key_change_file.h"

#include <charconv>

#include "bundle/image.h"
#include "cli/key_store.h"

namespace mv::cli {

using Json = nlohmann::ordered_json;

tl::expected<bundle::SignedKeyChange, Failure> read_key_change(const std::string& file) {
  const auto bytes = bundle::read_file(file, bundle::SignedKeyChange::kMaxBytes);
  if (!bytes) return tl::unexpected(to_failure(bytes.error()));
  auto change = bundle::SignedKeyChange::parse(*bytes);
  if (!change) return fail(ExitCode::kFailed, file + ": " + change.error().message, change.error().hint);
  return *std::move(change);
}

Json key_change_json(const bundle::SignedKeyChange& change) {
  const bundle::KeyChange& what = change.change();
  Json document = {{"hash", "sha256:" + bundle::hex(change.hash())},
                   {"sequence", what.sequence},
                   {"device", what.device_id.empty() ? Json() : Json(what.device_id)},
                   {"ca_hash", what.ca_hash.empty() ? Json() : Json("sha256:" + bundle::hex(what.ca_hash))},
                   {"add", Json::array()},
                   {"remove", Json::array()},
                   {"threshold", what.threshold == 0 ? Json() : Json(what.threshold)},
                   {"signers", Json::array()}};
  for (const bundle::PublicKey& key : what.add) document["add"].push_back(bundle::describe(key.id()));
  for (const bundle::KeyId key : what.remove) document["remove"].push_back(bundle::describe(key));
  for (const bundle::KeySignature& each : change.signatures()) {
    document["signers"].push_back(bundle::describe(each.key));
  }
  return document;
}

std::optional<bundle::KeyId> parse_key_id(std::string_view text) {
  bundle::KeyId id;
  if (text.size() != 16) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id.value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return id;
}

}  // namespace mv::cli
