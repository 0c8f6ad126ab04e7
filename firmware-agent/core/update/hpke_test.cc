#include "core/update/hpke.h"

#include <gtest/gtest.h>

#include "core/update/update_rig.h"

namespace mv::update {
namespace {

using rig::Bytes;

Bytes from_hex(std::string_view digits) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(std::string(digits.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// RFC 9180, A.3.1: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, base mode, sequence number 0.
struct Vector {
  Bytes receiver = from_hex("f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2");
  Bytes receiver_point = from_hex(
      "04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a826a779b4cf969b8a0e539c7f62fb3d30ad6aa8f80e30f1d"
      "128aafd68a2ce72ea0");
  Bytes enc = from_hex(
      "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be863c403ce65c9b"
      "fcb9382657222d18c4");
  Bytes info = from_hex("4f6465206f6e2061204772656369616e2055726e");
  Bytes aad = from_hex("436f756e742d30");
  Bytes plain = from_hex("4265617574792069732074727574682c20747275746820626561757479");
  Bytes sealed = from_hex("5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434");

  // What it opens to; nothing if it does not.
  Bytes open() const {
    Bytes out(sealed.size() < kHpkeTag ? 0 : sealed.size() - kHpkeTag);
    const bool good = hpke_open(P256Scalar(receiver.data(), 32), std::span<const std::uint8_t, 65>(enc.data(), 65),
                                info, aad, sealed, out);
    return good ? out : Bytes{};
  }
};

class HpkeTest : public ::testing::Test {
 protected:
  void SetUp() override { rig::set_up_crypto(); }

  Vector vector_;
};

TEST_F(HpkeTest, OpensWhatTheRfcSeals) { EXPECT_EQ(vector_.open(), vector_.plain); }

TEST_F(HpkeTest, ThePublicHalfIsThatOfTheRfc) {
  const auto point = public_half(P256Scalar(vector_.receiver.data(), 32));
  ASSERT_TRUE(point);
  EXPECT_EQ(Bytes(point->begin(), point->end()), vector_.receiver_point);
  EXPECT_FALSE(public_half(P256Scalar(Bytes(32, 0).data(), 32)));
  EXPECT_FALSE(public_half(P256Scalar(Bytes(32, 0xFF).data(), 32)));
}

TEST_F(HpkeTest, EveryChangedByteIsNoticed) {
  for (Bytes Vector::*part : {&Vector::enc, &Vector::info, &Vector::aad, &Vector::sealed}) {
    for (std::size_t i = 0; i < (vector_.*part).size(); ++i) {
      Vector changed;
      (changed.*part)[i] ^= 1;
      EXPECT_TRUE(changed.open().empty()) << i;
    }
  }
}

TEST_F(HpkeTest, AnotherKeyAndACutMessageDoNotOpen) {
  Vector other;
  other.receiver[31] ^= 1;
  EXPECT_TRUE(other.open().empty());
  for (std::size_t size = 0; size < vector_.sealed.size(); ++size) {
    Vector cut;
    cut.sealed.resize(size);
    EXPECT_TRUE(cut.open().empty()) << size;
  }
}

}  // namespace
}  // namespace mv::update
