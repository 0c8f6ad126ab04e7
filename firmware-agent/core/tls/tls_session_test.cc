#include "core/tls/tls_session.h"

#include <algorithm>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "core/tls/openssl_peer.h"
#include "core/tls/tls_platform.h"

namespace mv::tls {
namespace {

using test::Bytes;
using test::Credentials;
using test::make_credentials;
using test::OpenSslContext;
using test::OpenSslOptions;
using test::OpenSslPeer;
using State = TlsSession::State;

class TestEntropy final : public Entropy {
 public:
  bool fill(std::span<std::uint8_t> out) override {
    for (auto& byte : out) byte = static_cast<std::uint8_t>(random_());
    return works;
  }
  bool works = true;

 private:
  std::mt19937 random_{1};
};

class TestClock final : public Clock {
 public:
  std::uint64_t uptime_us() override { return now_us += 100; }
  std::uint64_t now_us = 1'000'000;
};

TestEntropy& entropy() {
  static TestEntropy source;
  return source;
}

void set_up_once() {
  static TestClock clock;
  static const bool done = set_up(entropy(), clock);
  ASSERT_TRUE(done);
}

// The device's end of a wire that takes and gives at most `grain` bytes a call.
class Wire final : public ByteStream {
 public:
  std::size_t read(std::span<std::uint8_t> out) override {
    const std::size_t size = std::min({out.size(), to_device.size(), grain});
    std::copy_n(to_device.begin(), size, out.begin());
    to_device.erase(to_device.begin(), to_device.begin() + static_cast<std::ptrdiff_t>(size));
    return size;
  }
  std::size_t write(std::span<const std::uint8_t> bytes) override {
    const std::size_t size = std::min({bytes.size(), grain, room - std::min(room, from_device.size())});
    from_device.insert(from_device.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    return size;
  }
  bool ended() const override { return cut && to_device.empty(); }

  Bytes to_device;
  Bytes from_device;
  std::size_t grain = 4096;
  std::size_t room = 1U << 20;
  bool cut = false;
};

// One device end and one OpenSSL end with a wire between them.
struct Pair {
  explicit Pair(const OpenSslContext& context) : peer(context) {}

  void carry() {
    peer.receive(wire.from_device);
    wire.from_device.clear();
    const Bytes back = peer.take();
    all_from_peer.insert(all_from_peer.end(), back.begin(), back.end());
    wire.to_device.insert(wire.to_device.end(), back.begin(), back.end());
  }

  // Runs until both ends are done, or one has failed, or nothing more happens.
  void shake_hands(TlsSession& device) {
    for (int i = 0; i < 3000 && device.state() == State::kHandshake; ++i) {
      device.step();
      carry();
      peer_done = peer.step();
      carry();
    }
    for (int i = 0; i < 3 && !peer_done; ++i) {
      carry();
      peer_done = peer.step();
    }
    carry();
  }

  Wire wire;
  OpenSslPeer peer;
  bool peer_done = false;
  Bytes all_from_peer;  // what an eavesdropper could keep
};

struct Cast {
  Credentials ca = make_credentials("test CA");
  Credentials gateway = make_credentials("cloud.test", &ca);
  Credentials device = make_credentials("UV00", &ca);
  Credentials debugger = make_credentials("debug key");
  Bytes ca_der = ca.der();
  Bytes device_der = device.der();
  Bytes device_key = device.private_scalar();
  Bytes debug_point = debugger.public_point();

  ClientConfig client_config(std::span<const std::uint8_t> saved = {}) const {
    return {device_der, std::span<const std::uint8_t, 32>(device_key), ca_der, "cloud.test", "mv-link/1", saved};
  }
  ServerConfig server_config() const {
    return {device_der, std::span<const std::uint8_t, 32>(device_key), std::span<const std::uint8_t, 65>(debug_point),
            "mv-debug/1"};
  }
  OpenSslOptions gateway_options() const { return gateway_options(gateway); }
  OpenSslOptions gateway_options(const Credentials& own) const { return {.own = &own, .ca = &ca}; }
  OpenSslOptions debugger_options() const { return debugger_options(&debugger); }
  OpenSslOptions debugger_options(const Credentials* own) const {
    return {.server = false, .alpn = "mv-debug/1", .own = own};
  }
};

const Cast& cast() {
  static const Cast made;
  return made;
}

Bytes bytes(std::string_view text) { return {text.begin(), text.end()}; }

Bytes read_all(TlsSession& session) {
  Bytes all;
  std::array<std::uint8_t, 512> part;
  for (int i = 0; i < 1000; ++i) {
    const std::size_t size = session.read(part);
    all.insert(all.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(size));
    if (size == 0 && (session.blocked() || session.state() != State::kOpen)) break;
  }
  return all;
}

class TlsTest : public testing::Test {
 protected:
  void SetUp() override { set_up_once(); }

  virtual void connect(Pair& pair) = 0;

  // The device does not take a peer with these options, or learns that it is not taken, and says why.
  void expect_failure(const OpenSslOptions& options, std::string_view why) {
    const OpenSslContext context(options);
    Pair pair(context);
    connect(pair);
    read_all(device);
    EXPECT_EQ(device.state(), State::kFailed);
    EXPECT_EQ(device.error(), why);
  }

  TlsSession device;
};

class TlsClient : public TlsTest {
 protected:
  void connect(Pair& pair) override { connect(pair, {}); }

  // Connects once; what the gateway's ticket allows to resume is kept in `saved`.
  void connect(Pair& pair, std::span<const std::uint8_t> resume) {
    device.start_client(cast().client_config(resume), pair.wire);
    pair.shake_hands(device);
    if (device.state() != State::kOpen) return;
    read_all(device);
    saved.assign(device.saved_session().begin(), device.saved_session().end());
  }

  Bytes saved;
};

TEST_F(TlsClient, ConnectsWithCertificatesOnBothEndsAndCarriesBytes) {
  const OpenSslContext gateway(cast().gateway_options());
  Pair pair(gateway);
  connect(pair);
  ASSERT_EQ(device.state(), State::kOpen) << device.error();
  EXPECT_TRUE(pair.peer_done);

  EXPECT_EQ(device.write(bytes("hello cloud")), 11U);
  pair.carry();
  EXPECT_EQ(pair.peer.read(), bytes("hello cloud"));
  pair.peer.write(bytes("hello device"));
  pair.carry();
  EXPECT_EQ(read_all(device), bytes("hello device"));
}

TEST_F(TlsClient, WorksOnAWireThatTakesAndGivesOneByteAtATime) {
  const OpenSslContext gateway(cast().gateway_options());
  Pair pair(gateway);
  pair.wire.grain = 1;
  connect(pair);
  ASSERT_EQ(device.state(), State::kOpen) << device.error();
}

TEST_F(TlsClient, KeepsARecordThatTheWireDoesNotTakeAndSendsItLater) {
  const OpenSslContext gateway(cast().gateway_options());
  Pair pair(gateway);
  connect(pair);
  pair.wire.room = 10;
  const Bytes big(1500, 'x');
  EXPECT_EQ(device.write(big), big.size());
  EXPECT_TRUE(device.unsent());
  EXPECT_EQ(device.write(bytes("later")), 0U);
  while (device.unsent()) {
    pair.carry();
    device.step();
  }
  pair.carry();
  EXPECT_EQ(pair.peer.read(), big);
}

TEST_F(TlsClient, ResumesAfterAnUncleanCut) {
  const OpenSslContext gateway(cast().gateway_options());
  for (int i = 0; i < 3; ++i) {
    Pair pair(gateway);
    const Bytes resume = saved;
    connect(pair, resume);
    ASSERT_EQ(device.state(), State::kOpen) << device.error();
    EXPECT_EQ(device.resumed(), i > 0);
    EXPECT_EQ(pair.peer.resumed(), i > 0);
    EXPECT_FALSE(saved.empty());
    EXPECT_LE(saved.size(), 128U);
    device.stop();
  }
}

TEST_F(TlsClient, FallsBackToAFullHandshakeIfTheGatewayForgotTheSession) {
  {
    const OpenSslContext gateway(cast().gateway_options());
    Pair pair(gateway);
    connect(pair);
  }
  const OpenSslContext restarted(cast().gateway_options());
  Pair pair(restarted);
  const Bytes resume = saved;
  connect(pair, resume);
  EXPECT_EQ(device.state(), State::kOpen) << device.error();
  EXPECT_FALSE(device.resumed());
}

TEST_F(TlsClient, TakesADamagedSavedSessionAsNone) {
  const OpenSslContext gateway(cast().gateway_options());
  Pair pair(gateway);
  connect(pair, Bytes(110, 0x5A));
  EXPECT_EQ(device.state(), State::kOpen) << device.error();
}

TEST_F(TlsClient, DropsASavedSessionOfAnotherServerName) {
  const OpenSslContext gateway(cast().gateway_options());
  Pair pair(gateway);
  connect(pair);
  const Credentials other = make_credentials("other.test", &cast().ca);
  const OpenSslContext other_gateway(cast().gateway_options(other));
  Pair second(other_gateway);
  ClientConfig config = cast().client_config(saved);
  config.server_name = "other.test";
  device.start_client(config, second.wire);
  second.shake_hands(device);
  EXPECT_EQ(device.state(), State::kOpen) << device.error();
}

TEST_F(TlsClient, RefusesAServerWithAnotherName) {
  const Credentials other = make_credentials("evil.test", &cast().ca);
  expect_failure(cast().gateway_options(other), "the server's certificate does not carry the expected name");
}

TEST_F(TlsClient, RefusesAServerOfAnotherCa) {
  const Credentials other_ca = make_credentials("test CA");
  const Credentials other = make_credentials("cloud.test", &other_ca);
  expect_failure(cast().gateway_options(other), "the server's certificate is not signed by the known CA");
}

TEST_F(TlsClient, SaysSoWhenTheServerDoesNotKnowTheDevicesCa) {
  const Credentials other_ca = make_credentials("another CA");
  OpenSslOptions options = cast().gateway_options();
  options.ca = &other_ca;
  expect_failure(options, "the peer does not know the CA of this device's certificate");
}

TEST_F(TlsClient, RefusesAServerWithAnotherProtocolOrNone) {
  for (const char* alpn : {"http/1.1", ""}) {
    OpenSslOptions options = cast().gateway_options();
    options.alpn = alpn;
    expect_failure(options, "the peer does not speak this protocol (ALPN)");
  }
}

TEST_F(TlsClient, RefusesGarbageAtAnyStage) {
  const OpenSslContext gateway(cast().gateway_options());
  {
    Pair pair(gateway);
    device.start_client(cast().client_config(), pair.wire);
    pair.wire.to_device = bytes("HTTP/1.1 400 Bad Request\r\n\r\n");
    for (int i = 0; i < 50 && device.state() == State::kHandshake; ++i) device.step();
    EXPECT_EQ(device.state(), State::kFailed);
  }
  Pair pair(gateway);
  connect(pair);
  pair.peer.write(bytes("genuine"));
  pair.carry();
  pair.wire.to_device.back() ^= 1;
  read_all(device);
  EXPECT_EQ(device.state(), State::kFailed);
  EXPECT_EQ(device.error(), "a TLS record was changed on its way");
}

TEST_F(TlsClient, TellsAClosedConnectionFromAFailure) {
  const OpenSslContext gateway(cast().gateway_options());
  Pair pair(gateway);
  connect(pair);
  pair.peer.close();
  pair.carry();
  read_all(device);
  EXPECT_EQ(device.state(), State::kClosed);

  Pair second(gateway);
  connect(second);
  second.wire.cut = true;
  read_all(device);
  EXPECT_EQ(device.state(), State::kClosed);
}

TEST_F(TlsClient, FailsWhenTheWireIsCutInTheHandshake) {
  Wire wire;
  wire.cut = true;
  device.start_client(cast().client_config(), wire);
  for (int i = 0; i < 50 && device.state() == State::kHandshake; ++i) device.step();
  EXPECT_EQ(device.state(), State::kFailed);
  EXPECT_EQ(device.error(), "the connection ended during the TLS handshake");
}

TEST_F(TlsClient, FailsRatherThanUseWeakRandomBytes) {
  entropy().works = false;
  Wire wire;
  device.start_client(cast().client_config(), wire);
  for (int i = 0; i < 50 && device.state() == State::kHandshake && !device.blocked(); ++i) device.step();
  entropy().works = true;
  EXPECT_EQ(device.state(), State::kFailed);
  EXPECT_TRUE(wire.from_device.empty());
}

TEST_F(TlsClient, RefusesAKeyThatIsNone) {
  const Bytes zero(32, 0);
  ClientConfig config{
      cast().device_der, std::span<const std::uint8_t, 32>(zero), cast().ca_der, "cloud.test", "mv-link/1", {}};
  Wire wire;
  EXPECT_EQ(device.start_client(config, wire), State::kFailed);
  EXPECT_FALSE(device.error().empty());
}

TEST_F(TlsClient, LeaksNothingOver200Reconnects) {
  const OpenSslContext gateway(cast().gateway_options());
  const std::size_t before = pool_use().now;
  std::size_t high_water = 0;
  for (int i = 0; i < 200; ++i) {
    Pair pair(gateway);
    // Resumed, full, and cut in the middle of the handshake, in turn.
    const Bytes resume = i % 3 == 0 ? Bytes{} : saved;
    if (i % 5 == 4) {
      device.start_client(cast().client_config(resume), pair.wire);
      for (int j = 0; j < i % 11; ++j) {
        device.step();
        pair.carry();
        pair.peer.step();
        pair.carry();
      }
    } else {
      connect(pair, resume);
      ASSERT_EQ(device.state(), State::kOpen) << i << ": " << device.error();
    }
    device.stop();
    ASSERT_EQ(pool_use().now, before) << "after reconnect " << i;
    if (i == 20) high_water = pool_use().high_water;
  }
  EXPECT_EQ(pool_use().high_water, high_water);
  EXPECT_LT(high_water, kPoolSize);
}

class TlsServer : public TlsTest {
 protected:
  void connect(Pair& pair) override {
    device.start_server(cast().server_config(), pair.wire);
    pair.peer.step();
    pair.carry();
    pair.shake_hands(device);
  }
};

TEST_F(TlsServer, AcceptsTheClientWithThePinnedKey) {
  const OpenSslContext debugger(cast().debugger_options());
  Pair pair(debugger);
  connect(pair);
  ASSERT_EQ(device.state(), State::kOpen) << device.error();
  pair.peer.write(bytes("attach"));
  pair.carry();
  EXPECT_EQ(read_all(device), bytes("attach"));
  EXPECT_EQ(device.write(bytes("attached")), 8U);
  pair.carry();
  EXPECT_EQ(pair.peer.read(), bytes("attached"));
}

TEST_F(TlsServer, RefusesAnyOtherKeyEvenFromTheRightCa) {
  const Credentials impostor = make_credentials("debug key", &cast().ca);
  expect_failure(cast().debugger_options(&impostor), "the client's key is not the one that is allowed");
}

TEST_F(TlsServer, RefusesAClientWithoutCertificate) {
  expect_failure(cast().debugger_options(nullptr), "the client showed no certificate");
}

TEST_F(TlsServer, RefusesAClientWithAnotherProtocolOrNone) {
  for (const char* alpn : {"mv-link/1", ""}) {
    OpenSslOptions options = cast().debugger_options();
    options.alpn = alpn;
    expect_failure(options, "the peer does not speak this protocol (ALPN)");
  }
}

TEST_F(TlsServer, RefusesAReplayOfAnEarlierHandshake) {
  const OpenSslContext debugger(cast().debugger_options());
  Pair honest(debugger);
  connect(honest);
  ASSERT_EQ(device.state(), State::kOpen) << device.error();
  device.stop();

  Pair replay(debugger);
  replay.wire.to_device = honest.all_from_peer;
  replay.wire.cut = true;
  device.start_server(cast().server_config(), replay.wire);
  for (int i = 0; i < 100 && device.state() == State::kHandshake; ++i) device.step();

  EXPECT_EQ(device.state(), State::kFailed);
}

// A full record on a wire without room for it was once counted one byte longer than it was.
TEST_F(TlsServer, LosesNoByteOfALongMessageOnAWireWithLittleRoom) {
  const OpenSslContext debugger(cast().debugger_options());
  Pair pair(debugger);
  connect(pair);
  ASSERT_EQ(device.state(), State::kOpen) << device.error();
  pair.wire.room = 1000;
  Bytes message(3 * kMaxRecord);
  for (std::size_t i = 0; i < message.size(); ++i) message[i] = static_cast<std::uint8_t>(i * 7 >> 3);
  std::span<const std::uint8_t> left(message);
  Bytes arrived;
  for (int i = 0; i < 1000 && arrived.size() < message.size(); ++i) {
    if (device.unsent()) {
      device.step();
    } else {
      left = left.subspan(device.write(left));
    }
    pair.carry();
    const Bytes piece = pair.peer.read();
    arrived.insert(arrived.end(), piece.begin(), piece.end());
  }
  EXPECT_EQ(arrived, message);
}

TEST_F(TlsServer, FitsIntoThePoolBesideAnOpenClient) {
  const OpenSslContext gateway(cast().gateway_options());
  const OpenSslContext debugger(cast().debugger_options());
  TlsSession client;
  Pair link(gateway);
  client.start_client(cast().client_config(), link.wire);
  link.shake_hands(client);
  ASSERT_EQ(client.state(), State::kOpen) << client.error();
  for (int i = 0; i < 20; ++i) {
    Pair pair(debugger);
    connect(pair);
    ASSERT_EQ(device.state(), State::kOpen) << device.error();
    pair.peer.write(Bytes(kMaxRecord, 'd'));
    pair.carry();
    EXPECT_EQ(read_all(device).size(), kMaxRecord);
  }
  RecordProperty("pool_high_water", static_cast<int>(pool_use().high_water));
  EXPECT_EQ(client.write(bytes("still here")), 10U);
}

}  // namespace
}  // namespace mv::tls
