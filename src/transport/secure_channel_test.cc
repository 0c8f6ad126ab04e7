// The end-to-end channel with OpenSSL on both ends, over a pair of pipes in memory.
#include "transport/secure_channel.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include "transport/memory_pipe.h"
#include "transport/test_tls.h"
#include "wire/frame.h"

namespace mv::transport {
namespace {

using test::bytes;
using test::TestDevice;

const std::string kDeviceId = "UV00112233445566778899aabbccddeeff";
constexpr auto kRefused = static_cast<std::uint16_t>(frame::CloseReason::kRefused);

DebugIdentity new_key() {
  const test::TemporaryFile file(test::Authority().issue("debug key").key);
  return *DebugIdentity::load(file.path());
}

class SecureChannelTest : public testing::Test {
 protected:
  // A channel on one end of a pair; the other end is left in `pair_.second`.
  void open(const DebugIdentity& key) {
    pair_ = MemoryPipe::make(context_);
    auto channel = SecureChannel::make(std::move(pair_.first), key, {authority_.certificate(), kDeviceId});
    ASSERT_TRUE(channel.has_value()) << channel.error();
    channel_ = std::move(*channel);
    received_.clear();
    end_.reset();
    channel_->start(
        [this](std::span<const std::uint8_t> data) {
          received_.append(data.begin(), data.end());
          if (on_data_) on_data_();
        },
        [this](const PipeEnd& end) { end_ = end; });
  }

  void connect(const test::Identity& identity, const std::string& protocol = "mv-debug/1") {
    open(key_);
    device_ = std::make_unique<TestDevice>(std::move(pair_.second), identity, key_.public_point(), protocol);
  }

  void run() {
    context_.restart();
    context_.run();
  }

  void expect_refused(const std::string& words) {
    ASSERT_TRUE(end_.has_value());
    EXPECT_EQ(end_->reason, PipeEnd::Reason::kPeerClosed);
    EXPECT_EQ(end_->code, kRefused);
    EXPECT_NE(end_->text.find(words), std::string::npos) << end_->text;
    EXPECT_EQ(received_, "");
  }

  boost::asio::io_context context_;
  test::Authority authority_;
  test::Identity identity_ = authority_.issue(kDeviceId);
  DebugIdentity key_ = new_key();
  MemoryPipe::Pair pair_;
  std::unique_ptr<SecureChannel> channel_;
  std::unique_ptr<TestDevice> device_;
  std::string received_;
  std::function<void()> on_data_;
  std::optional<PipeEnd> end_;
};

TEST_F(SecureChannelTest, CarriesBytesBothWaysAndKeepsWhatIsSentTooEarly) {
  connect(identity_);
  std::string heard;
  device_->on_data = [&](std::span<const std::uint8_t> data) {
    heard.append(data.begin(), data.end());
    device_->send(bytes("world"));
  };
  channel_->send(bytes("hello"));
  EXPECT_EQ(channel_->unsent(), 5U);
  run();
  EXPECT_EQ(heard, "hello");
  EXPECT_EQ(received_, "world");
  EXPECT_EQ(channel_->unsent(), 0U);
  EXPECT_FALSE(end_.has_value());
}

TEST_F(SecureChannelTest, KeepsRecordsToTheDeviceWithinItsBuffers) {
  connect(identity_);
  std::size_t longest = 0, total = 0;
  device_->on_data = [&](std::span<const std::uint8_t> data) {
    longest = std::max(longest, data.size());
    total += data.size();
  };
  channel_->send(std::vector<std::uint8_t>(10'000));
  run();
  EXPECT_EQ(total, 10'000U);
  EXPECT_LE(longest, 2048U) << "docs/protocol.md";
}

TEST_F(SecureChannelTest, IsToldThatTheDeviceTakesAnotherKey) {
  open(new_key());
  device_ = std::make_unique<TestDevice>(std::move(pair_.second), identity_, key_.public_point());
  channel_->send(bytes("let me in"));
  run();
  EXPECT_FALSE(device_->accepted());
  expect_refused("refused the debug key");
}

TEST_F(SecureChannelTest, RefusesADeviceOfAnotherCloud) {
  connect(test::Authority().issue(kDeviceId));
  run();
  expect_refused("cannot be trusted");
}

TEST_F(SecureChannelTest, RefusesAnotherDeviceOfTheSameCloud) {
  connect(authority_.issue("UV99"));
  run();
  expect_refused("is device UV99");
}

TEST_F(SecureChannelTest, RefusesADeviceThatSpeaksAnotherProtocol) {
  connect(identity_, "mv-debug/9");
  run();
  expect_refused("mv-debug/1");
}

TEST_F(SecureChannelTest, RefusesWhatIsNotTls) {
  open(key_);
  pair_.second->send(bytes("HTTP/1.1 400 Bad Request\r\n\r\n"));
  run();
  expect_refused("ended the handshake");
}

TEST_F(SecureChannelTest, EndsWhenTheHandshakeIsCutAnywhere) {
  connect(identity_);
  run();
  ASSERT_TRUE(device_->accepted());
  const std::size_t whole = device_->sent.size();
  for (std::size_t length = 0; length < whole; length += 97) {
    open(key_);
    // A server of its own for each try: what it sends is let through up to `length` only.
    auto between = MemoryPipe::make(context_);
    TestDevice device(std::move(between.first), identity_, key_.public_point());
    pair_.second->start([&](std::span<const std::uint8_t> data) { between.second->send(data); }, [](const PipeEnd&) {});
    std::size_t passed = 0;
    between.second->start(
        [&](std::span<const std::uint8_t> data) {
          const auto part = data.first(std::min(data.size(), length - passed));
          passed += part.size();
          pair_.second->send(part);
          if (passed == length) pair_.second->close_with(0, "");
        },
        [](const PipeEnd&) {});
    run();
    ASSERT_TRUE(end_.has_value()) << "cut after " << length << " of " << whole;
    EXPECT_EQ(received_, "");
  }
}

TEST_F(SecureChannelTest, TakesNoReplayOfAnEarlierHandshake) {
  connect(identity_);
  device_->on_data = [&](auto) { device_->send(bytes("the old answer")); };
  channel_->send(bytes("question"));
  run();
  ASSERT_EQ(received_, "the old answer");
  const auto recorded = device_->sent;

  open(key_);
  pair_.second->send(recorded);
  channel_->send(bytes("question"));
  run();
  expect_refused("ended the handshake");
}

TEST_F(SecureChannelTest, NoticesBytesThatWereChangedOnTheirWay) {
  connect(identity_);
  run();
  ASSERT_TRUE(device_->accepted());
  device_->send(bytes("first"));
  run();
  ASSERT_EQ(received_, "first");
  // A record of application data whose contents are nobody's.
  device_->carrier().send(bytes(std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x')));
  run();
  ASSERT_TRUE(end_.has_value());
  EXPECT_EQ(end_->reason, PipeEnd::Reason::kLost);
  EXPECT_EQ(received_, "first");
}

TEST_F(SecureChannelTest, TellsAnEndInGoodOrderFromACut) {
  connect(identity_);
  run();
  device_->send(bytes("x"));
  device_->close();
  run();
  ASSERT_TRUE(end_.has_value());
  EXPECT_EQ(end_->reason, PipeEnd::Reason::kPeerClosed);
  EXPECT_EQ(end_->code, 0);

  connect(identity_);
  run();
  device_->send(bytes("x"));
  run();
  static_cast<MemoryPipe&>(device_->carrier()).cut();
  run();
  ASSERT_TRUE(end_.has_value());
  EXPECT_EQ(end_->reason, PipeEnd::Reason::kLost);
}

TEST_F(SecureChannelTest, PassesOnTheCloudsReasonWhenTheCarrierIsRefused) {
  open(key_);
  pair_.second->close_with(kRefused, "the bundle that runs there has no debug key");
  run();
  expect_refused("has no debug key");
}

TEST_F(SecureChannelTest, SaysNothingAfterClose) {
  connect(identity_);
  run();
  channel_->close();
  device_->send(bytes("late"));
  run();
  EXPECT_EQ(received_, "");
  EXPECT_FALSE(end_.has_value());
}

TEST_F(SecureChannelTest, MayBeDestroyedFromItsOwnCallback) {
  connect(identity_);
  run();
  on_data_ = [this] { channel_.reset(); };
  device_->send(std::vector<std::uint8_t>(40'000, 'x'));
  run();
  EXPECT_LE(received_.size(), 16'384U) << "one record, and nothing after it";
  EXPECT_FALSE(end_.has_value());
}

TEST_F(SecureChannelTest, RefusesAnAuthorityThatIsNotPem) {
  auto pair = MemoryPipe::make(context_);
  const auto channel = SecureChannel::make(std::move(pair.first), key_, {"not a certificate", kDeviceId});
  ASSERT_FALSE(channel.has_value());
  EXPECT_NE(channel.error().find("not in PEM form"), std::string::npos);
}

TEST(DebugIdentity, NamesAFileThatHoldsNoKeyItCanUse) {
  EXPECT_NE(DebugIdentity::load("/nowhere.pem").error().find("/nowhere.pem"), std::string::npos);
  const test::TemporaryFile text("not a key");
  EXPECT_NE(DebugIdentity::load(text.path()).error().find("holds no private key"), std::string::npos);
  const test::TemporaryFile certificate(test::Authority().certificate());
  EXPECT_NE(DebugIdentity::load(certificate.path()).error().find("holds no private key"), std::string::npos);
}

TEST(DebugIdentity, TakesOnlyP256) {
  EVP_PKEY* other = EVP_EC_gen("P-384");
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, other, nullptr, nullptr, 0, nullptr, nullptr);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  const test::TemporaryFile file(std::string(text, static_cast<std::size_t>(size)));
  BIO_free(bio);
  EVP_PKEY_free(other);
  EXPECT_NE(DebugIdentity::load(file.path()).error().find("not a P-256 key"), std::string::npos);
}

TEST(DebugIdentity, NeverAsksForAPassphrase) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  BIO* bio = BIO_new(BIO_s_mem());
  unsigned char passphrase[] = "secret";
  PEM_write_bio_PrivateKey(bio, key, EVP_aes_128_cbc(), passphrase, 6, nullptr, nullptr);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  const test::TemporaryFile file(std::string(text, static_cast<std::size_t>(size)));
  BIO_free(bio);
  EVP_PKEY_free(key);
  EXPECT_NE(DebugIdentity::load(file.path()).error().find("encrypted"), std::string::npos);
}

}  // namespace
}  // namespace mv::transport
