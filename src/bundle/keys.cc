#include "bundle/keys.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>

#include "bundle/ecdsa.h"
#include "bundle/image.h"
#include "bundle/openssl_handles.h"

namespace mv::bundle {
namespace {

constexpr std::uint64_t kLongestPem = 64 << 10;
constexpr const char* kMakeKey = "make one with mvctl keys create NAME";

tl::unexpected<Error> bad_key(const std::string& what, const std::string& hint = kMakeKey) {
  ERR_clear_error();
  return refuse(ErrorKind::kBadKey, what, hint);
}

Memory memory_of(std::string_view text) {
  return Memory(BIO_new_mem_buf(text.data(), static_cast<int>(std::min<std::size_t>(text.size(), kLongestPem))));
}

// Refuses to give a passphrase; without it OpenSSL would ask on the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

bool is_p256(const EVP_PKEY* key) {
  std::array<char, 64> group{};
  std::size_t length = 0;
  return EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) == 1 &&
         std::string_view(group.data(), length) == SN_X9_62_prime256v1;
}

Group p256() { return Group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)); }

// The uncompressed form of an encoded point; fails if it is not on the curve.
std::optional<Point> to_point(Bytes encoded) {
  const Group group = p256();
  const CurvePoint point(group ? EC_POINT_new(group.get()) : nullptr);
  Point uncompressed{};
  if (!point || EC_POINT_oct2point(group.get(), point.get(), encoded.data(), encoded.size(), nullptr) != 1 ||
      EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, uncompressed.data(),
                         uncompressed.size(), nullptr) != uncompressed.size()) {
    ERR_clear_error();
    return std::nullopt;
  }
  return uncompressed;
}

std::optional<Point> point_of(const EVP_PKEY* key) {
  std::array<std::uint8_t, 128> encoded{};
  std::size_t length = 0;
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, encoded.data(), encoded.size(), &length) != 1) {
    return std::nullopt;
  }
  return to_point(Bytes(encoded).first(length));
}

std::optional<Point> point_of_scalar(const BIGNUM* scalar) {
  const Group group = p256();
  const CurvePoint point(group ? EC_POINT_new(group.get()) : nullptr);
  Point uncompressed{};
  if (!point || EC_POINT_mul(group.get(), point.get(), scalar, nullptr, nullptr, nullptr) != 1 ||
      EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, uncompressed.data(),
                         uncompressed.size(), nullptr) != uncompressed.size()) {
    return std::nullopt;
  }
  return uncompressed;
}

struct Parameters {
  std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>> builder{OSSL_PARAM_BLD_new()};
  std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>> made;
};

// An EVP key from a point, with the scalar if there is one.
Key evp_key(const Point& point, const BIGNUM* scalar) {
  Parameters parameters;
  OSSL_PARAM_BLD* builder = parameters.builder.get();
  OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, SN_X9_62_prime256v1, 0);
  OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  if (scalar != nullptr) OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, scalar);
  parameters.made.reset(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  const int selection = scalar != nullptr ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
  if (context && EVP_PKEY_fromdata_init(context.get()) == 1) {
    EVP_PKEY_fromdata(context.get(), &key, selection, parameters.made.get());
  }
  return Key(key);
}

std::string text_of(BIO* memory) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(std::max(length, 0L))};
}

// r || s as the DER structure that OpenSSL verifies.
std::vector<std::uint8_t> to_der(Bytes signature) {
  const std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>> pair(ECDSA_SIG_new());
  Number r(BN_bin2bn(signature.data(), 32, nullptr));
  Number s(BN_bin2bn(signature.data() + 32, 32, nullptr));
  if (!pair || !r || !s) return {};
  ECDSA_SIG_set0(pair.get(), r.release(), s.release());
  unsigned char* encoded = nullptr;
  const int length = i2d_ECDSA_SIG(pair.get(), &encoded);
  std::vector<std::uint8_t> der(encoded, encoded + std::max(length, 0));
  OPENSSL_free(encoded);
  return der;
}

bool mentions(std::string_view pem, std::string_view label) { return pem.find(label) != std::string_view::npos; }

template <typename KeyType>
Expected<KeyType> read_key(const std::filesystem::path& path) {
  const auto content = read_file(path, kLongestPem);
  if (!content) return tl::unexpected(content.error());
  auto key = KeyType::from_pem({reinterpret_cast<const char*>(content->data()), content->size()});
  if (!key) return refuse(key.error().kind, path.string() + " " + key.error().message, key.error().hint);
  return key;
}

}  // namespace

struct PrivateKey::Scalar {
  Number number;
};

std::string describe(KeyId id) {
  std::array<std::uint8_t, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(id.value >> (56 - 8 * i));
  return hex(bytes);
}

Expected<PublicKey> PublicKey::from_pem(std::string_view pem) {
  if (mentions(pem, "PRIVATE KEY-----")) {
    return bad_key("holds a private key where the public one belongs", "give the file with -----BEGIN PUBLIC KEY-----");
  }
  const Memory memory = memory_of(pem);
  const Key key(PEM_read_bio_PUBKEY(memory.get(), nullptr, no_passphrase, nullptr));
  if (!key) return bad_key("is not a public key in PEM form (-----BEGIN PUBLIC KEY-----)");
  if (!is_p256(key.get())) return bad_key("is a key of another kind: only EC keys on P-256 (prime256v1) sign bundles");
  const auto point = point_of(key.get());
  if (!point) return bad_key("holds a point that is not on the curve P-256");
  return PublicKey(*point);
}

Expected<PublicKey> PublicKey::from_point(Bytes encoded) {
  const auto point = encoded.size() == Point{}.size() && encoded[0] == 4 ? to_point(encoded) : std::nullopt;
  if (!point) return bad_key("is not an uncompressed point of the curve P-256");
  return PublicKey(*point);
}

KeyId PublicKey::id() const {
  Hasher hasher;
  constexpr std::array<std::uint8_t, 2> kPrefix{};
  hasher.add(kPrefix);
  hasher.add(point_);
  const Hash hash = hasher.finish();
  KeyId id;
  for (std::size_t i = 0; i < 8; ++i) id.value = id.value << 8 | hash.bytes[i];
  return id;
}

std::string PublicKey::pem() const {
  const Key key = evp_key(point_, nullptr);
  const Memory memory(BIO_new(BIO_s_mem()));
  PEM_write_bio_PUBKEY(memory.get(), key.get());
  return text_of(memory.get());
}

bool PublicKey::verify(Bytes message, Bytes signature) const {
  if (signature.size() != Signature{}.size()) return false;
  const auto der = to_der(signature);
  const Key key = evp_key(point_, nullptr);
  const DigestContext context(EVP_MD_CTX_new());
  const bool good = key && context && !der.empty() &&
                    EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
                    EVP_DigestVerify(context.get(), der.data(), der.size(), message.data(), message.size()) == 1;
  ERR_clear_error();
  return good;
}

Expected<PrivateKey> PrivateKey::generate() {
  const Key key(EVP_EC_gen(SN_X9_62_prime256v1));
  BIGNUM* scalar = nullptr;
  if (!key || EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_PRIV_KEY, &scalar) != 1) {
    return bad_key("no key could be made: the system has no randomness", "");
  }
  Number number(scalar);
  const auto point = point_of(key.get());
  if (!point) return bad_key("no key could be made", "");
  return PrivateKey(std::make_shared<const Scalar>(Scalar{std::move(number)}), PublicKey(*point));
}

Expected<PrivateKey> PrivateKey::from_pem(std::string_view pem) {
  if (mentions(pem, "ENCRYPTED")) {
    return bad_key("is encrypted with a passphrase",
                   "write a plain copy, mode 0600, with openssl pkcs8 -topk8 -nocrypt");
  }
  const Memory memory = memory_of(pem);
  const Key key(PEM_read_bio_PrivateKey(memory.get(), nullptr, no_passphrase, nullptr));
  if (!key) {
    return mentions(pem, "BEGIN PUBLIC KEY")
               ? bad_key("holds a public key where the private one belongs", "give the other file of the pair")
               : bad_key("is not a private key in PEM form");
  }
  if (!is_p256(key.get())) return bad_key("is a key of another kind: only EC keys on P-256 (prime256v1) sign bundles");
  BIGNUM* scalar = nullptr;
  if (EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_PRIV_KEY, &scalar) != 1) return bad_key("holds no private key");
  Number number(scalar);
  // The public half is computed, not believed.
  const auto point = point_of_scalar(number.get());
  if (!point) return bad_key("holds a private key that is out of range");
  return PrivateKey(std::make_shared<const Scalar>(Scalar{std::move(number)}), PublicKey(*point));
}

std::string PrivateKey::pem() const {
  const Key key = evp_key(public_key_.point(), scalar_->number.get());
  const Memory memory(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(memory.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(memory.get());
}

std::array<std::uint8_t, 32> PrivateKey::scalar() const {
  std::array<std::uint8_t, 32> bytes{};
  BN_bn2binpad(scalar_->number.get(), bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

Expected<PrivateKey> PrivateKey::from_scalar(Bytes scalar) {
  const Group group = p256();
  Number number(scalar.size() == 32 ? BN_bin2bn(scalar.data(), 32, nullptr) : nullptr);
  const bool in_range =
      group && number && BN_is_zero(number.get()) == 0 && BN_cmp(number.get(), EC_GROUP_get0_order(group.get())) < 0;
  const auto point = in_range ? point_of_scalar(number.get()) : std::nullopt;
  if (!point) return bad_key("is not a scalar of P-256");
  return PrivateKey(std::make_shared<const Scalar>(Scalar{std::move(number)}), PublicKey(*point));
}

Expected<std::array<std::uint8_t, 32>> PrivateKey::agree(const PublicKey& other) const {
  const Key own = evp_key(public_key_.point(), scalar_->number.get());
  const Key peer = evp_key(other.point(), nullptr);
  const KeyContext context(own ? EVP_PKEY_CTX_new(own.get(), nullptr) : nullptr);
  std::array<std::uint8_t, 32> shared{};
  std::size_t size = shared.size();
  if (!context || !peer || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1 ||
      EVP_PKEY_derive(context.get(), shared.data(), &size) != 1 || size != shared.size()) {
    return bad_key("does not agree with the other key");
  }
  return shared;
}

Expected<Signature> PrivateKey::sign(Bytes message) const {
  const auto signature = sign_deterministic(scalar_->number.get(), message);
  if (!signature || !public_key_.verify(message, *signature)) {
    return bad_key("the signature that was made does not verify: this machine computes wrongly", "try another machine");
  }
  return *signature;
}

Expected<PublicKey> read_public_key(const std::filesystem::path& path) { return read_key<PublicKey>(path); }
Expected<PrivateKey> read_private_key(const std::filesystem::path& path) { return read_key<PrivateKey>(path); }

Expected<Hash> certificate_hash(const std::filesystem::path& pem) {
  const auto content = read_file(pem, kLongestPem);
  if (!content) return tl::unexpected(content.error());
  const Memory memory = memory_of({reinterpret_cast<const char*>(content->data()), content->size()});
  const Certificate certificate(PEM_read_bio_X509(memory.get(), nullptr, no_passphrase, nullptr));
  Hash hash;
  unsigned size = 0;
  if (!certificate || X509_digest(certificate.get(), EVP_sha256(), hash.bytes.data(), &size) != 1) {
    return bad_key(pem.string() + " is no certificate in PEM form", "give the CA certificate of the cloud");
  }
  return hash;
}

}  // namespace mv::bundle
