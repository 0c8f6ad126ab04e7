#include "cloud/bundle_check.h"

#include "bundle/bundle.h"

namespace mv::cloud {
namespace {

Sentence sentence_of(const bundle::Error& error) {
  return error.hint.empty() ? error.message : error.message + ": " + error.hint;
}

std::string to_string(const std::vector<std::uint8_t>& bytes) { return std::string(as_chars(bytes)); }

// The signer, who must be one of the account's keys.
Result<std::string> check_signature(const bundle::Manifest& manifest, const std::vector<Signer>& trusted) {
  std::vector<bundle::PublicKey> keys;
  for (const Signer& signer : trusted) {
    if (auto key = bundle::PublicKey::from_point(as_bytes(signer.point))) keys.push_back(*key);
  }
  const auto signer = manifest.verify(keys);
  if (signer) return bundle::describe(signer->front().id());
  if (signer.error().kind == bundle::ErrorKind::kUnknownSigner) {
    return fail(signer.error().message + ": add the signer's public key with `mvctl signers add`");
  }
  return fail(sentence_of(signer.error()));
}

Result<std::string> read_layer(const bundle::Bundle& bundle, const bundle::Layer& layer) {
  std::string content;
  const auto done = bundle.read_layer(layer, [&](bundle::Bytes piece) -> bundle::Expected<void> {
    content += as_chars(piece);
    return {};
  });
  if (!done) return fail(sentence_of(done.error()));
  return content;
}

}  // namespace

Result<CheckedBundle> check_bundle(const std::filesystem::path& zip, const std::vector<Signer>& trusted) {
  const auto bundle = bundle::Bundle::open(zip);
  if (!bundle) return fail(sentence_of(bundle.error()));
  const bundle::Manifest& manifest = bundle->manifest();
  auto signer = check_signature(manifest, trusted);
  if (!signer) return fail(signer.error());
  CheckedBundle checked;
  const bundle::AppBody& body = manifest.body();
  for (const bundle::Layer& layer : body.layers) {
    auto content = read_layer(*bundle, layer);
    if (!content) return fail(content.error());
    checked.layers.push_back(std::move(*content));
  }
  checked.manifest = to_string(manifest.encoded());
  checked.app.name = body.info.name;
  checked.app.version = body.info.version;
  checked.app.build_id = to_string(body.info.build_id);
  checked.app.board = body.info.board;
  checked.app.signer_id = *signer;
  checked.app.debuggable = body.policies.debuggable && !body.policies.debug_auth_pubkey.empty();
  return checked;
}

}  // namespace mv::cloud
