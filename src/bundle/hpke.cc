#include "bundle/hpke.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <array>
#include <string>
#include <string_view>

#include "bundle/aes_gcm.h"
#include "bundle/openssl_handles.h"
#include "bundle/secret.h"

namespace mv::bundle {
namespace {

using namespace std::literals;
using Secret32 = Secret<32>;

// RFC 9180, 4.1 and 5.1: which algorithms, in all that is derived.
constexpr std::string_view kKemSuite = "KEM\x00\x10"sv;
constexpr std::string_view kHpkeSuite = "HPKE\x00\x10\x00\x01\x00\x01"sv;
constexpr std::string_view kVersion = "HPKE-v1";

tl::unexpected<Error> failed(const std::string& what) { return refuse(ErrorKind::kBadKey, what); }

void append(std::vector<std::uint8_t>& to, Bytes bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

OSSL_PARAM octets(const char* name, Bytes bytes) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(bytes.data()), bytes.size());
}

bool hkdf(int mode, Bytes key, const OSSL_PARAM& other, std::span<std::uint8_t> out) {
  const std::unique_ptr<EVP_KDF, Freed<EVP_KDF_free>> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const std::unique_ptr<EVP_KDF_CTX, Freed<EVP_KDF_CTX_free>> context(kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr);
  std::string digest = "SHA256";
  const std::array<OSSL_PARAM, 5> parameters = {
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0), octets(OSSL_KDF_PARAM_KEY, key), other,
      OSSL_PARAM_construct_end()};
  return context && EVP_KDF_derive(context.get(), out.data(), out.size(), parameters.data()) == 1;
}

// RFC 9180, 4: LabeledExtract. No salt is 32 bytes of zero (RFC 5869, 2.2), which OpenSSL wants to be told.
bool labeled_extract(std::string_view suite, Bytes salt, std::string_view label, Bytes ikm, Secret32& out) {
  const std::array<std::uint8_t, 32> zeros{};
  std::vector<std::uint8_t> labeled;
  for (const auto part : {as_bytes(kVersion), as_bytes(suite), as_bytes(label), ikm}) append(labeled, part);
  const bool good = hkdf(EVP_KDF_HKDF_MODE_EXTRACT_ONLY, labeled,
                         octets(OSSL_KDF_PARAM_SALT, salt.empty() ? Bytes(zeros) : salt), out);
  OPENSSL_cleanse(labeled.data(), labeled.size());
  return good;
}

// LabeledExpand.
bool labeled_expand(std::string_view suite, const Secret32& key, std::string_view label, Bytes info,
                    std::span<std::uint8_t> out) {
  std::vector<std::uint8_t> labeled = {0, static_cast<std::uint8_t>(out.size())};
  for (const auto part : {as_bytes(kVersion), as_bytes(suite), as_bytes(label), info}) append(labeled, part);
  return hkdf(EVP_KDF_HKDF_MODE_EXPAND_ONLY, key, octets(OSSL_KDF_PARAM_INFO, labeled), out);
}

// What both sides come to.
struct Keys {
  Secret<16> key;
  Secret<12> nonce;
};

// 4.1: ExtractAndExpand, of what the keys agreed on; 5.1: KeySchedule, without a pre-shared key.
bool schedule(const Secret32& agreed, const Point& enc, const PublicKey& receiver, Bytes info, Keys& out) {
  std::vector<std::uint8_t> kem_context, context = {0};  // mode_base
  append(kem_context, enc);
  append(kem_context, receiver.point());
  Secret32 extracted, shared, psk_id_hash, info_hash, secret;
  if (!labeled_extract(kKemSuite, {}, "eae_prk", agreed, extracted) ||
      !labeled_expand(kKemSuite, extracted, "shared_secret", kem_context, shared) ||
      !labeled_extract(kHpkeSuite, {}, "psk_id_hash", {}, psk_id_hash) ||
      !labeled_extract(kHpkeSuite, {}, "info_hash", info, info_hash)) {
    return false;
  }
  append(context, psk_id_hash);
  append(context, info_hash);
  return labeled_extract(kHpkeSuite, shared, "secret", {}, secret) &&
         labeled_expand(kHpkeSuite, secret, "key", context, out.key) &&
         labeled_expand(kHpkeSuite, secret, "base_nonce", context, out.nonce);
}

}  // namespace

Expected<HpkeMessage> hpke_seal(const PublicKey& receiver, Bytes info, Bytes aad, Bytes plain) {
  const auto ephemeral = PrivateKey::generate();
  if (!ephemeral) return tl::unexpected(ephemeral.error());
  return hpke_seal_with(*ephemeral, receiver, info, aad, plain);
}

Expected<HpkeMessage> hpke_seal_with(const PrivateKey& ephemeral, const PublicKey& receiver, Bytes info, Bytes aad,
                                     Bytes plain) {
  const auto agreed = ephemeral.agree(receiver);
  if (!agreed) return tl::unexpected(agreed.error());
  HpkeMessage message{ephemeral.public_key().point(), {}};
  Keys keys;
  const bool good = schedule(Secret32(*agreed), message.enc, receiver, info, keys);
  auto sealed = good ? gcm_seal(keys.key, keys.nonce, aad, plain) : std::nullopt;
  if (!sealed) return failed("nothing could be sealed: the system's OpenSSL refuses");
  message.sealed = std::move(*sealed);
  return message;
}

Expected<std::vector<std::uint8_t>> hpke_open(const PrivateKey& receiver, Bytes enc, Bytes info, Bytes aad,
                                              Bytes sealed) {
  const auto sender = PublicKey::from_point(enc);
  if (!sender) return tl::unexpected(sender.error());
  const auto agreed = receiver.agree(*sender);
  if (!agreed) return tl::unexpected(agreed.error());
  Keys keys;
  const bool good = schedule(Secret32(*agreed), sender->point(), receiver.public_key(), info, keys);
  auto plain = good ? gcm_open(keys.key, keys.nonce, aad, sealed) : std::nullopt;
  if (!plain) return failed("what was sealed does not open: it is for another key, or was changed");
  return std::move(*plain);
}

}  // namespace mv::bundle
