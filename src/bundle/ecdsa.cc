#include "bundle/ecdsa.h"

#include <openssl/hmac.h>

#include <algorithm>

#include "bundle/openssl_handles.h"

namespace mv::bundle {
namespace {

using Block = std::array<std::uint8_t, 32>;

Block to_block(const BIGNUM* number) {
  Block block{};
  BN_bn2binpad(number, block.data(), static_cast<int>(block.size()));
  return block;
}

Number secret(Bytes bytes) {
  Number number(BN_secure_new());
  if (number && BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), number.get()) == nullptr) number.reset();
  if (number) BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  return number;
}

// The generator of nonces of RFC 6979, 3.2: HMAC-SHA-256 with key K over V.
class NonceGenerator {
 public:
  NonceGenerator(const Block& scalar, const Block& digest) {
    value_.fill(0x01);
    key_.fill(0x00);
    for (const std::uint8_t step : {std::uint8_t{0x00}, std::uint8_t{0x01}}) {
      std::array<std::uint8_t, 97> seed{};
      auto out = std::copy(value_.begin(), value_.end(), seed.begin());
      *out++ = step;
      out = std::copy(scalar.begin(), scalar.end(), out);
      std::copy(digest.begin(), digest.end(), out);
      rekey(seed);
      OPENSSL_cleanse(seed.data(), seed.size());
    }
  }
  ~NonceGenerator() {
    OPENSSL_cleanse(key_.data(), key_.size());
    OPENSSL_cleanse(value_.data(), value_.size());
  }
  NonceGenerator(const NonceGenerator&) = delete;
  NonceGenerator& operator=(const NonceGenerator&) = delete;

  const Block& next() { return value_ = mac(value_); }

  void reject() {
    std::array<std::uint8_t, 33> seed{};
    std::copy(value_.begin(), value_.end(), seed.begin());
    rekey(seed);
  }

 private:
  Block mac(Bytes input) const {
    Block out{};
    unsigned int length = 0;
    HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), input.data(), input.size(), out.data(), &length);
    return out;
  }
  void rekey(Bytes seed) {
    key_ = mac(seed);
    value_ = mac(value_);
  }

  Block key_{};
  Block value_{};
};

// One attempt of FIPS 186-4, 6.4 with nonce `k`; nothing if r or s came out zero.
class Signer {
 public:
  Signer(const BIGNUM* scalar, const Block& digest)
      : group_(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)), context_(BN_CTX_secure_new()), scalar_(scalar) {
    digest_ = secret(digest);
  }

  bool ready() const { return group_ && context_ && digest_; }
  const BIGNUM* order() const { return EC_GROUP_get0_order(group_.get()); }
  BN_CTX* context() const { return context_.get(); }

  std::optional<Signature> attempt(const BIGNUM* k) const {
    const CurvePoint point(EC_POINT_new(group_.get()));
    const Number r(BN_new());
    const Number s(BN_secure_new());
    if (!point || !r || !s || EC_POINT_mul(group_.get(), point.get(), k, nullptr, nullptr, context()) != 1) return {};
    if (EC_POINT_get_affine_coordinates(group_.get(), point.get(), r.get(), nullptr, context()) != 1) return {};
    if (BN_nnmod(r.get(), r.get(), order(), context()) != 1 || BN_is_zero(r.get())) return {};
    if (!solve(s.get(), k, r.get()) || BN_is_zero(s.get())) return {};
    Signature signature{};
    BN_bn2binpad(r.get(), signature.data(), 32);
    BN_bn2binpad(s.get(), signature.data() + 32, 32);
    return signature;
  }

 private:
  // s = (digest + r * scalar) / k, with numerator and denominator multiplied by a random number: the time that the
  // arithmetic takes then says nothing about the scalar or the nonce.
  bool solve(BIGNUM* s, const BIGNUM* k, const BIGNUM* r) const {
    const Number blind(BN_secure_new());
    const Number divisor(BN_secure_new());
    const Number blinded_digest(BN_secure_new());
    if (!blind || !divisor || !blinded_digest) return false;
    do {
      if (BN_priv_rand_range(blind.get(), order()) != 1) return false;
    } while (BN_is_zero(blind.get()));
    BN_set_flags(divisor.get(), BN_FLG_CONSTTIME);
    return BN_mod_mul(divisor.get(), k, blind.get(), order(), context()) == 1 &&
           BN_mod_mul(s, blind.get(), scalar_, order(), context()) == 1 &&
           BN_mod_mul(s, s, r, order(), context()) == 1 &&
           BN_mod_mul(blinded_digest.get(), blind.get(), digest_.get(), order(), context()) == 1 &&
           BN_mod_add(s, s, blinded_digest.get(), order(), context()) == 1 &&
           BN_mod_inverse(divisor.get(), divisor.get(), order(), context()) != nullptr &&
           BN_mod_mul(s, s, divisor.get(), order(), context()) == 1;
  }

  Group group_;
  NumberContext context_;
  const BIGNUM* scalar_;
  Number digest_;
};

}  // namespace

std::optional<Signature> sign_deterministic(const BIGNUM* scalar, Bytes message) {
  const Hash digest = sha256(message);
  const Signer signer(scalar, digest.bytes);
  if (!signer.ready()) return std::nullopt;
  // bits2octets of RFC 6979, 2.3.4: the digest modulo the order.
  const Number reduced(BN_new());
  const Number number = secret(digest.bytes);
  if (!reduced || !number || BN_nnmod(reduced.get(), number.get(), signer.order(), signer.context()) != 1) return {};
  Block scalar_bytes = to_block(scalar);
  NonceGenerator nonces(scalar_bytes, to_block(reduced.get()));
  OPENSSL_cleanse(scalar_bytes.data(), scalar_bytes.size());
  // A candidate is refused with probability 2^-32; eight in a row mean broken arithmetic.
  for (int i = 0; i < 8; ++i) {
    const Number k = secret(nonces.next());
    if (!k) return std::nullopt;
    if (!BN_is_zero(k.get()) && BN_cmp(k.get(), signer.order()) < 0) {
      if (auto signature = signer.attempt(k.get())) return signature;
    }
    nonces.reject();
  }
  return std::nullopt;
}

}  // namespace mv::bundle
