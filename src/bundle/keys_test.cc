#include "bundle/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "bundle/ecdsa.h"
#include "bundle/openssl_handles.h"
#include "bundle/test_support.h"

namespace mv::bundle {
namespace {

using ::testing::HasSubstr;

std::string signature_of(const char* scalar, std::string_view message) {
  BIGNUM* number = nullptr;
  BN_hex2bn(&number, scalar);
  const Number owned(number);
  const auto signature = sign_deterministic(owned.get(), as_bytes(message));
  return signature ? hex(*signature) : "nothing";
}

// RFC 6979, A.2.5.
constexpr const char* kRfcScalar = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";

TEST(Ecdsa, SignsAsTheTestVectorsOfRfc6979Say) {
  EXPECT_EQ(signature_of(kRfcScalar, "sample"),
            "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
            "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
  EXPECT_EQ(signature_of(kRfcScalar, "test"),
            "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
            "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083");
}

TEST(Keys, APairSurvivesItsPemFiles) {
  const auto key = PrivateKey::generate();
  ASSERT_TRUE(key);
  const auto again = PrivateKey::from_pem(key->pem());
  ASSERT_TRUE(again) << again.error().message;
  const auto public_key = PublicKey::from_pem(key->public_key().pem());
  ASSERT_TRUE(public_key) << public_key.error().message;
  EXPECT_EQ(again->public_key().point(), key->public_key().point());
  EXPECT_EQ(public_key->point(), key->public_key().point());
}

TEST(Keys, TheKeyIdIsTheHashOfTwoZeroBytesAndThePoint) {
  const auto key = PrivateKey::generate();
  std::vector<std::uint8_t> bytes{0, 0};
  const Point point = key->public_key().point();
  bytes.insert(bytes.end(), point.begin(), point.end());
  EXPECT_EQ(describe(key->public_key().id()), hex(sha256(bytes)).substr(0, 16));
}

TEST(Keys, TheSameMessageGivesTheSameSignature) {
  const auto key = PrivateKey::generate();
  EXPECT_EQ(*key->sign(as_bytes("message")), *key->sign(as_bytes("message")));
  EXPECT_NE(*key->sign(as_bytes("message")), *key->sign(as_bytes("massage")));
}

TEST(Keys, ASignatureOfAnotherMessageOrKeyDoesNotVerify) {
  const auto key = PrivateKey::generate();
  const auto other = PrivateKey::generate();
  auto signature = *key->sign(as_bytes("message"));
  EXPECT_TRUE(key->public_key().verify(as_bytes("message"), signature));
  EXPECT_FALSE(key->public_key().verify(as_bytes("messagf"), signature));
  EXPECT_FALSE(other->public_key().verify(as_bytes("message"), signature));
  signature[63] ^= 1;
  EXPECT_FALSE(key->public_key().verify(as_bytes("message"), signature));
  EXPECT_FALSE(key->public_key().verify(as_bytes("message"), Bytes(signature).first(63)));
  signature.fill(0);
  EXPECT_FALSE(key->public_key().verify(as_bytes("message"), signature));
}

TEST(Keys, APointOffTheCurveIsRefused) {
  Point point = PrivateKey::generate()->public_key().point();
  point[64] ^= 1;
  EXPECT_EQ(error_of(PublicKey::from_point(point)).kind, ErrorKind::kBadKey);
  EXPECT_EQ(error_of(PublicKey::from_point({})).kind, ErrorKind::kBadKey);
}

// Keys as OpenSSL's own program writes them.
class OpensslKeys : public ::testing::Test {
 protected:
  std::string make(const std::string& command) {
    const std::string whole = "cd '" + folder_.path() + "' && " + command + " 2>/dev/null";
    EXPECT_EQ(std::system(whole.c_str()), 0) << command;
    return (folder_ / "key.pem").string();
  }
  TemporaryFolder folder_;
};

TEST_F(OpensslKeys, Sec1WithParametersReads) {
  EXPECT_TRUE(read_private_key(make("openssl ecparam -name prime256v1 -genkey -out key.pem")));
}

TEST_F(OpensslKeys, Pkcs8ReadsAndItsPublicHalfIsTheSame) {
  const auto path = make("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem");
  make("openssl pkey -in key.pem -pubout -out public.pem");
  const auto key = read_private_key(path);
  const auto public_key = read_public_key(folder_ / "public.pem");
  ASSERT_TRUE(key && public_key);
  EXPECT_EQ(key->public_key().id(), public_key->id());
}

TEST_F(OpensslKeys, ACompressedPublicPointReads) {
  make("openssl ecparam -name prime256v1 -genkey -noout -out key.pem");
  make("openssl ec -in key.pem -pubout -conv_form compressed -out public.pem");
  EXPECT_EQ(read_public_key(folder_ / "public.pem")->point(),
            read_private_key(folder_ / "key.pem")->public_key().point());
}

TEST_F(OpensslKeys, ASignatureByTheirKeyVerifiesWithTheirPublicHalf) {
  const auto path = make("openssl ecparam -name prime256v1 -genkey -noout -out key.pem");
  make("openssl ec -in key.pem -pubout -out public.pem");
  const auto key = read_private_key(path);
  EXPECT_TRUE(read_public_key(folder_ / "public.pem")->verify(as_bytes("text"), *key->sign(as_bytes("text"))));
}

TEST_F(OpensslKeys, AnotherCurveIsRefusedByName) {
  const auto path = make("openssl ecparam -name secp384r1 -genkey -noout -out key.pem");
  EXPECT_THAT(error_of(read_private_key(path)).message, HasSubstr("key.pem is a key of another kind"));
}

TEST_F(OpensslKeys, AnRsaKeyIsRefused) {
  const auto path = make("openssl genpkey -algorithm RSA -out key.pem");
  EXPECT_THAT(error_of(read_private_key(path)).message, HasSubstr("key of another kind"));
}

TEST_F(OpensslKeys, AnEncryptedKeyIsRefusedWithTheCommandThatHelps) {
  const auto path = make(
      "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes-128-cbc -pass pass:secret -out key.pem");
  const Error error = error_of(read_private_key(path));
  EXPECT_THAT(error.message, HasSubstr("encrypted with a passphrase"));
  EXPECT_THAT(error.hint, HasSubstr("-nocrypt"));
}

TEST_F(OpensslKeys, HalvesInTheWrongPlaceAreTold) {
  const auto path = make("openssl ecparam -name prime256v1 -genkey -noout -out key.pem");
  make("openssl ec -in key.pem -pubout -out public.pem");
  EXPECT_THAT(error_of(read_public_key(path)).message, HasSubstr("private key where the public one belongs"));
  EXPECT_THAT(error_of(read_private_key(folder_ / "public.pem")).message,
              HasSubstr("public key where the private one"));
}

}  // namespace
}  // namespace mv::bundle
