#include "bundle/hpke.h"

#include <gtest/gtest.h>

namespace mv::bundle {
namespace {

std::vector<std::uint8_t> from_hex(std::string_view digits) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(std::string(digits.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// RFC 9180, A.3.1: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, base mode, sequence number 0.
const PrivateKey kSender =
    *PrivateKey::from_scalar(from_hex("4995788ef4b9d6132b249ce59a77281493eb39af373d236a1fe415cb0c2d7beb"));
const PrivateKey kReceiver =
    *PrivateKey::from_scalar(from_hex("f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2"));
const std::string kEnc =
    "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfc"
    "b"
    "9382657222d18c4";
const auto kInfo = from_hex("4f6465206f6e2061204772656369616e2055726e");
const auto kAad = from_hex("436f756e742d30");
const auto kPlain = from_hex("4265617574792069732074727574682c20747275746820626561757479");
const auto kSealed =
    from_hex("5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434");

TEST(Hpke, SealsAsTheRfcDoes) {
  const auto message = hpke_seal_with(kSender, kReceiver.public_key(), kInfo, kAad, kPlain);
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(hex(message->enc), kEnc);
  EXPECT_EQ(hex(message->sealed), hex(kSealed));
}

TEST(Hpke, OpensWhatTheRfcSeals) {
  const auto plain = hpke_open(kReceiver, from_hex(kEnc), kInfo, kAad, kSealed);
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_EQ(*plain, kPlain);
}

TEST(Hpke, TwoMessagesAreDifferentAndOpenForTheirReceiverAlone) {
  const auto one = hpke_seal(kReceiver.public_key(), kInfo, kAad, kPlain);
  const auto two = hpke_seal(kReceiver.public_key(), kInfo, kAad, kPlain);
  ASSERT_TRUE(one && two);
  EXPECT_NE(one->enc, two->enc);
  EXPECT_EQ(*hpke_open(kReceiver, one->enc, kInfo, kAad, one->sealed), kPlain);
  EXPECT_FALSE(hpke_open(kReceiver, one->enc, kInfo, kAad, two->sealed));
  EXPECT_FALSE(hpke_open(kSender, one->enc, kInfo, kAad, one->sealed));
}

TEST(Hpke, EveryChangedByteIsNoticed) {
  const auto enc = from_hex(kEnc);
  for (std::size_t i = 0; i < enc.size(); ++i) {
    auto changed = enc;
    changed[i] ^= 1;
    EXPECT_FALSE(hpke_open(kReceiver, changed, kInfo, kAad, kSealed)) << i;
  }
  for (std::size_t i = 0; i < kSealed.size(); ++i) {
    auto changed = kSealed;
    changed[i] ^= 1;
    EXPECT_FALSE(hpke_open(kReceiver, enc, kInfo, kAad, changed)) << i;
    EXPECT_FALSE(hpke_open(kReceiver, enc, kInfo, kAad, Bytes(kSealed).first(i))) << i;
  }
  EXPECT_FALSE(hpke_open(kReceiver, enc, kAad, kAad, kSealed));
  EXPECT_FALSE(hpke_open(kReceiver, enc, kInfo, kInfo, kSealed));
}

TEST(Hpke, ScalarsOutOfRangeAreNoKeys) {
  EXPECT_FALSE(PrivateKey::from_scalar(std::vector<std::uint8_t>(32, 0)));
  EXPECT_FALSE(PrivateKey::from_scalar(std::vector<std::uint8_t>(32, 0xFF)));
  EXPECT_FALSE(PrivateKey::from_scalar(std::vector<std::uint8_t>(31, 1)));
  EXPECT_EQ(hex(PrivateKey::from_scalar(kReceiver.scalar())->public_key().point()),
            hex(kReceiver.public_key().point()));
}

}  // namespace
}  // namespace mv::bundle
