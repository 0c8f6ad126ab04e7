#include "core/debug/channel.h"

#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/sha.h>

#include "core/debug/fake_device.h"
#include "core/debug/fake_target.h"
#include "core/tls/openssl_peer.h"
#include "wire/proto/agent.pb.h"

namespace mv::debug {
namespace {

using mv::test::Bytes;
using mv::test::Credentials;
using mv::test::make_credentials;
using mv::test::OpenSslContext;
using mv::test::OpenSslOptions;
using mv::test::OpenSslPeer;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// The debug stream as the link offers it; takes at most `grain` bytes a call.
class FakeStream final : public link::DebugStream {
 public:
  std::size_t read(std::span<std::uint8_t> out) override {
    const std::size_t size = std::min({out.size(), to_device.size(), grain});
    std::copy_n(to_device.begin(), size, out.begin());
    to_device.erase(to_device.begin(), to_device.begin() + static_cast<std::ptrdiff_t>(size));
    return size;
  }
  std::size_t write(std::span<const std::uint8_t> bytes) override {
    const std::size_t size = std::min(bytes.size(), grain);
    from_device.insert(from_device.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    return size;
  }
  bool ended() const override { return false; }
  void close() override { closed = true; }

  Bytes to_device;
  Bytes from_device;
  std::size_t grain = 300;
  bool closed = false;
};

struct FakeEvents final : link::EventSink {
  void post(std::string_view kind, std::string_view detail) override {
    posted.push_back(std::string(kind) + ": " + std::string(detail));
  }
  std::vector<std::string> posted;
};

struct Cast {
  Credentials device = make_credentials("UV00");
  Credentials debugger = make_credentials("debug key");
  Credentials stranger = make_credentials("another key");
  Bytes certificate = device.der();
  Bytes key = device.private_scalar();
};

const Cast& cast() {
  static const Cast made;
  return made;
}

OpenSslOptions client_of(const Credentials& credentials, const std::string& alpn = "mv-debug/1") {
  return {.server = false, .alpn = alpn, .own = &credentials};
}

// SHA-256 of two zero bytes and the point, its first 8 bytes, as `mvctl keys` shows it.
std::string id_of(const Credentials& credentials) {
  Bytes point = credentials.public_point();
  point.insert(point.begin(), 2, 0);
  unsigned char hash[SHA256_DIGEST_LENGTH];
  SHA256(point.data(), point.size(), hash);
  std::string id;
  for (int i = 0; i < 8; ++i) id += {"0123456789abcdef"[hash[i] >> 4], "0123456789abcdef"[hash[i] & 15]};
  return id;
}

class ChannelTest : public testing::Test {
 protected:
  ChannelTest() {
    EXPECT_TRUE(test::set_up_crypto());
    board_.set_events(engine_);
    supervisor_.start();
    supervisor_.bundle.has_debug_key = true;
    std::ranges::copy(cast().debugger.public_point(), supervisor_.bundle.debug_key.begin());
  }

  // Device and client take turns until nothing moves.
  void live(OpenSslPeer& client, int turns = 300) {
    for (int i = 0; i < turns; ++i) {
      channel_.poll();
      board_.run(100);
      clock_.now_us += 100;
      client.receive(stream_.from_device);
      stream_.from_device.clear();
      client.step();
      const Bytes back = client.take();
      stream_.to_device.insert(stream_.to_device.end(), back.begin(), back.end());
      const Bytes plain = client.read();
      received_.insert(received_.end(), plain.begin(), plain.end());
    }
  }

  void send_attach(OpenSslPeer& client) {
    wire::AgentRequest request;
    request.mutable_attach()->set_session("0123456789abcdef");
    request.mutable_attach()->set_halt(true);
    const std::string body = request.SerializeAsString();
    Bytes bytes = {0, static_cast<std::uint8_t>(body.size())};
    bytes.insert(bytes.end(), body.begin(), body.end());
    client.write(bytes);
  }

  wire::AgentReply reply() {
    wire::AgentReply result;
    if (received_.size() < 2) return result;
    const std::size_t size = static_cast<std::size_t>(received_[0]) << 8 | received_[1];
    EXPECT_TRUE(result.ParseFromArray(received_.data() + 2, static_cast<int>(size)));
    return result;
  }

  test::FakeMemory memory_;
  test::FakeBoard board_{memory_};
  Engine engine_{board_, memory_};
  test::FakeSupervisor supervisor_{board_, memory_};
  test::FakeClock clock_;
  FakeEvents events_;
  Agent agent_{engine_, supervisor_, BoardInfo{"fake", test::kRegions}, clock_};
  Channel channel_{agent_, supervisor_, Identity{cast().certificate, std::span<const std::uint8_t, 32>(cast().key)},
                   clock_, events_};
  FakeStream stream_;
  Bytes received_;
};

TEST_F(ChannelTest, LetsTheHolderOfTheDebugKeyIn) {
  const OpenSslContext context(client_of(cast().debugger));
  OpenSslPeer client(context);
  ASSERT_TRUE(channel_.opened(stream_)) << channel_.refusal();
  live(client);
  send_attach(client);
  live(client);
  EXPECT_TRUE(reply().has_attached());
  EXPECT_TRUE(engine_.halted());
}

TEST_F(ChannelTest, KeepsEveryoneElseOut) {
  const OpenSslContext context(client_of(cast().stranger));
  OpenSslPeer client(context);
  ASSERT_TRUE(channel_.opened(stream_));
  live(client);
  EXPECT_TRUE(stream_.closed);
  EXPECT_TRUE(received_.empty());
  EXPECT_FALSE(agent_.session_open());
  EXPECT_TRUE(board_.running());
}

TEST_F(ChannelTest, TellsWhoHasTheDebugSessionAndWhenItEnds) {
  const OpenSslContext context(client_of(cast().debugger));
  OpenSslPeer client(context);
  ASSERT_TRUE(channel_.opened(stream_));
  EXPECT_THAT(events_.posted, IsEmpty());  // nobody proved anything yet
  live(client);
  EXPECT_THAT(events_.posted, ElementsAre("debugger attached: with the debug key " + id_of(cast().debugger)));
  events_.posted.clear();
  channel_.closed();
  EXPECT_THAT(events_.posted, ElementsAre("debugger detached: the connection is gone"));
}

TEST_F(ChannelTest, TellsWhenTheDebuggerEndsTheSessionItself) {
  const OpenSslContext context(client_of(cast().debugger));
  OpenSslPeer client(context);
  ASSERT_TRUE(channel_.opened(stream_));
  live(client);
  client.close();
  live(client);
  EXPECT_THAT(events_.posted,
              ElementsAre(StartsWith("debugger attached: "), "debugger detached: the debugger ended it"));
}

TEST_F(ChannelTest, TellsOfAWrongKeyOfSilenceAndOfGarbage) {
  const OpenSslContext context(client_of(cast().stranger));
  OpenSslPeer client(context);
  ASSERT_TRUE(channel_.opened(stream_));
  live(client);
  FakeStream silent;
  ASSERT_TRUE(channel_.opened(silent));
  clock_.now_us = *channel_.deadline_us();
  channel_.poll();
  FakeStream garbage;
  ASSERT_TRUE(channel_.opened(garbage));
  garbage.to_device.assign(200, 0x55);
  for (int i = 0; i < 20; ++i) channel_.poll();
  EXPECT_THAT(events_.posted, ElementsAre("debug access refused: the client's key is not the one that is allowed",
                                          "debug access refused: nobody proved to hold the debug key within 30 seconds",
                                          StartsWith("debug access refused: ")));
}

TEST_F(ChannelTest, SaysNothingOfAStreamThatIsGoneBeforeAnybodyProvedAnything) {
  ASSERT_TRUE(channel_.opened(stream_));
  channel_.poll();
  channel_.closed();
  EXPECT_THAT(events_.posted, IsEmpty());
}

TEST_F(ChannelTest, SpeaksNoOtherProtocol) {
  const OpenSslContext context(client_of(cast().debugger, "http/1.1"));
  OpenSslPeer client(context);
  ASSERT_TRUE(channel_.opened(stream_));
  live(client);
  EXPECT_TRUE(stream_.closed);
}

TEST_F(ChannelTest, RefusesAStreamWhenTheBundleHasNoDebugKey) {
  supervisor_.bundle.has_debug_key = false;
  EXPECT_FALSE(channel_.opened(stream_));
  EXPECT_THAT(std::string(channel_.refusal()), HasSubstr("--debug-auth-pubkey"));
}

TEST_F(ChannelTest, RefusesAStreamWhenNothingIsInstalled) {
  supervisor_.installed = false;
  EXPECT_FALSE(channel_.opened(stream_));
  EXPECT_THAT(std::string(channel_.refusal()), HasSubstr("no application"));
}

TEST_F(ChannelTest, RefusesASecondStream) {
  ASSERT_TRUE(channel_.opened(stream_));
  FakeStream second;
  EXPECT_FALSE(channel_.opened(second));
  EXPECT_THAT(std::string(channel_.refusal()), HasSubstr("another debugger"));
}

TEST_F(ChannelTest, CutsOffAClientThatDoesNotProveItself) {
  ASSERT_TRUE(channel_.opened(stream_));
  channel_.poll();
  EXPECT_FALSE(stream_.closed);
  clock_.now_us = *channel_.deadline_us();
  channel_.poll();
  EXPECT_TRUE(stream_.closed);
}

TEST_F(ChannelTest, EndsOnGarbage) {
  ASSERT_TRUE(channel_.opened(stream_));
  stream_.to_device.assign(200, 0x55);
  for (int i = 0; i < 20; ++i) channel_.poll();
  EXPECT_TRUE(stream_.closed);
}

TEST_F(ChannelTest, KeepsTheSessionOverALostLink) {
  const OpenSslContext context(client_of(cast().debugger));
  {
    OpenSslPeer client(context);
    ASSERT_TRUE(channel_.opened(stream_));
    live(client);
    send_attach(client);
    live(client);
    ASSERT_TRUE(reply().has_attached());
  }
  channel_.link_lost();
  stream_ = FakeStream{};
  received_.clear();
  OpenSslPeer client(context);
  ASSERT_TRUE(channel_.opened(stream_)) << channel_.refusal();
  live(client);
  send_attach(client);
  live(client);
  EXPECT_TRUE(reply().attached().resumed());
  EXPECT_TRUE(reply().attached().has_stopped());
}

TEST_F(ChannelTest, KeepsAHaltOfADebuggerThatWasKilledAsLongAsOverALostLink) {
  const OpenSslContext context(client_of(cast().debugger));
  OpenSslPeer client(context);
  ASSERT_TRUE(channel_.opened(stream_));
  live(client);
  send_attach(client);
  live(client);
  channel_.closed();
  const std::uint64_t end = clock_.now_us + std::uint64_t{Agent::kHaltLimitS} * 1'000'000;
  EXPECT_EQ(channel_.deadline_us(), end);
}

TEST_F(ChannelTest, EndsWhenTheNextBundleNamesAnotherKey) {
  const OpenSslContext context(client_of(cast().debugger));
  OpenSslPeer client(context);
  ASSERT_TRUE(channel_.opened(stream_));
  live(client);
  channel_.application_stopped();
  supervisor_.installed = false;  // between stop and start
  live(client, 5);
  EXPECT_FALSE(stream_.closed);
  supervisor_.installed = true;
  std::ranges::copy(cast().stranger.public_point(), supervisor_.bundle.debug_key.begin());
  live(client, 5);
  EXPECT_TRUE(stream_.closed);
}

TEST_F(ChannelTest, LeavesNothingInThePool) {
  const std::size_t before = tls::pool_use().blocks;
  const OpenSslContext context(client_of(cast().debugger));
  for (int i = 0; i < 10; ++i) {
    OpenSslPeer client(context);
    stream_ = FakeStream{};
    ASSERT_TRUE(channel_.opened(stream_));
    live(client, i * 10);  // cut at ever later points of the handshake
    channel_.closed();
  }
  EXPECT_EQ(tls::pool_use().blocks, before);
}

TEST_F(ChannelTest, IntroducesItselfByTheKeyAndTheBuildThatRuns) {
  supervisor_.bundle.build_id = {0x4F, 0xA0, 0x07};
  supervisor_.bundle.build_id_size = 3;
  ASSERT_TRUE(channel_.opened(stream_)) << channel_.refusal();
  std::array<char, 100> text;
  link::TextWriter out(text);
  channel_.introduce(out);
  EXPECT_EQ(std::string(text.data(), out.size()), id_of(cast().debugger) + " 4fa007");
}

}  // namespace
}  // namespace mv::debug
