// P-256 keys: PEM files, signatures, key ids. OpenSSL stays in keys.cc.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bundle/error.h"
#include "bundle/hash.h"

namespace mv::bundle {

// First 8 bytes, big-endian, of SHA-256(00 00 || uncompressed public point). Source: docs/bundle-format.md.
struct KeyId {
  std::uint64_t value = 0;
  friend bool operator==(const KeyId&, const KeyId&) = default;
};

// 16 lower-case hexadecimal digits.
std::string describe(KeyId id);

using Point = std::array<std::uint8_t, 65>;      // 04 || x || y
using Signature = std::array<std::uint8_t, 64>;  // r || s

class PublicKey {
 public:
  // "-----BEGIN PUBLIC KEY-----" (SPKI), as `openssl ec -pubout` and mvctl keys write it. Errors: kBadKey.
  static Expected<PublicKey> from_pem(std::string_view pem);

  // An uncompressed point, which must be on the curve. Errors: kBadKey.
  static Expected<PublicKey> from_point(Bytes point);

  const Point& point() const { return point_; }
  KeyId id() const;
  std::string pem() const;

  // Whether `signature` (r || s) is this key's ECDSA signature, with SHA-256, of `message`.
  bool verify(Bytes message, Bytes signature) const;

 private:
  friend class PrivateKey;
  explicit PublicKey(const Point& point) : point_(point) {}

  Point point_;
};

class PrivateKey {
 public:
  static Expected<PrivateKey> generate();

  // SEC1 ("EC PRIVATE KEY", with or without "EC PARAMETERS" before it) or PKCS#8 ("PRIVATE KEY"), not encrypted.
  // Errors: kBadKey.
  static Expected<PrivateKey> from_pem(std::string_view pem);

  PublicKey public_key() const { return public_key_; }

  // PKCS#8, not encrypted: for a file that only its owner may read.
  std::string pem() const;

  // The scalar as a device keeps it: 32 bytes, big-endian. Wipe what it is copied to.
  std::array<std::uint8_t, 32> scalar() const;

  // A key by its scalar. Errors: kBadKey (not 32 bytes, or out of range).
  static Expected<PrivateKey> from_scalar(Bytes scalar);

  // ECDH (SEC 1, 3.3.1): the x coordinate that this key and the other one share. Errors: kBadKey.
  Expected<std::array<std::uint8_t, 32>> agree(const PublicKey& other) const;

  // ECDSA with SHA-256 and the nonce of RFC 6979, so that the same message gives the same bytes.
  Expected<Signature> sign(Bytes message) const;

 private:
  struct Scalar;
  PrivateKey(std::shared_ptr<const Scalar> scalar, PublicKey public_key)
      : scalar_(std::move(scalar)), public_key_(std::move(public_key)) {}

  std::shared_ptr<const Scalar> scalar_;
  PublicKey public_key_;
};

// A key file. Errors: kUnreadable, kBadKey (with the file's name).
Expected<PublicKey> read_public_key(const std::filesystem::path& path);
// SHA-256 of the DER form of the first certificate in a PEM file. Errors: kUnreadable, kBadKey.
Expected<Hash> certificate_hash(const std::filesystem::path& pem);

Expected<PrivateKey> read_private_key(const std::filesystem::path& path);

}  // namespace mv::bundle
