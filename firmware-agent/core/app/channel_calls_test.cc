#include "core/app/channel_calls.h"

#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "boards/host/fakes.h"

namespace mv::app {
namespace {

constexpr std::uint32_t kRam = 0x20000000;
constexpr std::uint32_t kOutside = 0x30000000;
constexpr std::uint32_t kDead = 0x04000101;  // looks like a handle of a channel

class FakeService final : public ChannelService {
 public:
  bool connected() override { return up; }
  MvStatus carry(std::size_t, const ChannelCall& call) override {
    carried.push_back(call.kind);
    return MV_STATUS_OKAY;
  }
  void closed(std::size_t place) override { closed_places.push_back(place); }

  bool up = true;
  std::vector<ChannelCall::Kind> carried;
  std::vector<std::size_t> closed_places;
};

class ChannelCallsTest : public ::testing::Test {
 protected:
  ChannelCallsTest() {
    EXPECT_EQ(system_.setup_notifications(put({7, kRam + 0x100, 32}), kRam + 0x80), MV_STATUS_OKAY);
    EXPECT_EQ(system_.request_network(put({1, 0, 0}), kRam + 0x84), MV_STATUS_OKAY);
    centre_ = memory_.read<std::uint32_t>(kRam + 0x80);
    network_ = memory_.read<std::uint32_t>(kRam + 0x84);
    next_ = kRam + 0x1000;
  }

  std::uint32_t put(std::initializer_list<std::uint32_t> words) { return put(std::vector<std::uint32_t>(words)); }
  std::uint32_t put(const std::vector<std::uint32_t>& words) {
    const std::uint32_t at = next_;
    for (const std::uint32_t word : words) {
      std::memcpy(memory_.at(next_, 4), &word, 4);
      next_ += 4;
    }
    return at;
  }

  std::uint32_t text(std::string_view bytes) {
    const std::uint32_t at = next_;
    std::memcpy(memory_.at(at, bytes.size()), bytes.data(), bytes.size());
    next_ += (static_cast<std::uint32_t>(bytes.size()) + 3) / 4 * 4;
    return at;
  }

  // The parameters of a good channel, one word of them changed.
  std::vector<std::uint32_t> parameters(std::uint32_t type) const {
    return {1, centre_, 5, network_, kRam + 0x2000, 1536, kRam + 0x3000, 512, type, kRam, 0};
  }
  MvStatus open_with(std::size_t word, std::uint32_t value) {
    auto words = parameters(MV_CHANNELTYPE_HTTP);
    words[word] = value;
    return calls_.open(put(words), kRam);
  }

  std::uint32_t open(std::uint32_t type) {
    const std::uint32_t out = put({0});
    EXPECT_EQ(calls_.open(put(parameters(type)), out), MV_STATUS_OKAY);
    return memory_.read<std::uint32_t>(out);
  }

  host::FakeClock clock_;
  host::FakeLock lock_;
  host::FakeGuestMemory memory_{kRam, 0x10000};
  host::FakeGuestBoard board_;
  DeviceClock device_clock_{clock_, lock_};
  LogBuffer log_{device_clock_, lock_};
  SystemCalls system_{memory_, board_, clock_, device_clock_, log_, lock_};
  FakeService service_;
  ChannelCalls calls_{memory_, system_, service_, lock_};
  std::uint32_t next_ = kRam;
  std::uint32_t centre_ = 0, network_ = 0;
};

TEST_F(ChannelCallsTest, OpeningLooksAtEverythingInTheOrderOfTheOriginal) {
  EXPECT_EQ(calls_.open(kOutside, kRam), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(calls_.open(put(parameters(MV_CHANNELTYPE_HTTP)), kOutside), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(open_with(0, 2), MV_STATUS_UNSUPPORTEDSTRUCTUREVERSION);
  EXPECT_EQ(open_with(4, kOutside), MV_STATUS_PARAMETERFAULT) << "receive buffer";
  EXPECT_EQ(open_with(5, 0x20000), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(open_with(6, kOutside), MV_STATUS_PARAMETERFAULT) << "send buffer";
  EXPECT_EQ(open_with(10, 0x20000), MV_STATUS_PARAMETERFAULT) << "endpoint";
  EXPECT_EQ(open_with(1, network_), MV_STATUS_INVALIDHANDLE) << "no notification centre";
  EXPECT_EQ(open_with(1, 0), MV_STATUS_INVALIDHANDLE);
  EXPECT_EQ(open_with(3, centre_), MV_STATUS_INVALIDHANDLE) << "no network";
  EXPECT_EQ(open_with(6, kRam + 0x3004), MV_STATUS_INVALIDBUFFERALIGNMENT);
  EXPECT_EQ(open_with(4, kRam + 0x2004), MV_STATUS_INVALIDBUFFERALIGNMENT);
  EXPECT_EQ(open_with(7, 0), MV_STATUS_INVALIDBUFFERSIZE);
  EXPECT_EQ(open_with(7, 100), MV_STATUS_INVALIDBUFFERSIZE);
  EXPECT_EQ(open_with(5, 0), MV_STATUS_INVALIDBUFFERSIZE);
  EXPECT_EQ(open_with(10, 3), MV_STATUS_UNKNOWNCHANNELENDPOINT);
  EXPECT_EQ(open_with(8, 4), MV_STATUS_UNKNOWNCHANNELTYPE);
  service_.up = false;
  EXPECT_EQ(open_with(0, 1), MV_STATUS_NETWORKNOTCONNECTED);
}

TEST_F(ChannelCallsTest, WithoutAServiceThereIsNoNetwork) {
  NoChannelService none;
  ChannelCalls calls(memory_, system_, none, lock_);
  EXPECT_EQ(calls.open(put(parameters(MV_CHANNELTYPE_MQTT)), kRam), MV_STATUS_NETWORKNOTCONNECTED);
}

TEST_F(ChannelCallsTest, FourChannelsMayBeOpen) {
  for (int i = 0; i < 4; ++i) open(MV_CHANNELTYPE_HTTP);
  EXPECT_EQ(calls_.open(put(parameters(MV_CHANNELTYPE_HTTP)), kRam), MV_STATUS_TOOMANYCHANNELS);
}

TEST_F(ChannelCallsTest, AClosedChannelIsDead) {
  const std::uint32_t handle = open(MV_CHANNELTYPE_OPAQUEBYTES), cell = put({handle});
  EXPECT_EQ(calls_.closure_reason(handle, kRam), MV_STATUS_OKAY);
  EXPECT_EQ(memory_.read<std::uint32_t>(kRam), static_cast<std::uint32_t>(MV_CLOSUREREASON_NONE));
  ASSERT_EQ(calls_.close(cell), MV_STATUS_OKAY);
  EXPECT_EQ(memory_.read<std::uint32_t>(cell), 0U);
  EXPECT_EQ(service_.closed_places, std::vector<std::size_t>{0});
  EXPECT_EQ(calls_.close(cell), MV_STATUS_INVALIDHANDLE);
  EXPECT_EQ(calls_.read_complete(handle, 1), MV_STATUS_INVALIDHANDLE);
  EXPECT_NE(open(MV_CHANNELTYPE_OPAQUEBYTES), handle);
  calls_.reset();
  EXPECT_EQ(service_.closed_places.size(), 2U);
}

// What each call answers to a bad pointer with a dead handle, to a dead handle, and to one of another type.
TEST_F(ChannelCallsTest, PointersComeBeforeHandles) {
  const std::uint32_t opaque = open(MV_CHANNELTYPE_OPAQUEBYTES), http = open(MV_CHANNELTYPE_HTTP);
  using Call = MvStatus (ChannelCalls::*)(std::uint32_t, std::uint32_t);
  struct Row {
    Call call;
    std::uint32_t other;  // an open channel of another type
  };
  const std::vector<Row> rows = {{&ChannelCalls::http_request, opaque},
                                 {&ChannelCalls::http_response, opaque},
                                 {&ChannelCalls::config_request, http},
                                 {&ChannelCalls::config_response, http},
                                 {&ChannelCalls::config_item, http},
                                 {&ChannelCalls::mqtt_next_type, http},
                                 {&ChannelCalls::mqtt_connect, http},
                                 {&ChannelCalls::mqtt_connect_response, http},
                                 {&ChannelCalls::mqtt_subscribe, http},
                                 {&ChannelCalls::mqtt_subscribe_response, http},
                                 {&ChannelCalls::mqtt_unsubscribe, http},
                                 {&ChannelCalls::mqtt_unsubscribe_response, http},
                                 {&ChannelCalls::mqtt_publish, http},
                                 {&ChannelCalls::mqtt_publish_response, http},
                                 {&ChannelCalls::mqtt_message, http},
                                 {&ChannelCalls::mqtt_lost_message, http},
                                 {&ChannelCalls::mqtt_disconnect_response, http}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto [call, other] = rows[i];
    EXPECT_EQ((calls_.*call)(kDead, kOutside), MV_STATUS_PARAMETERFAULT) << i;
    EXPECT_EQ((calls_.*call)(kDead, kRam + 0x10000 - 4),
              call == &ChannelCalls::mqtt_next_type ? MV_STATUS_INVALIDHANDLE : MV_STATUS_PARAMETERFAULT)
        << i << ": half of it outside";
    for (const std::uint32_t handle : {kDead, 0U, centre_, network_, other}) {
      EXPECT_EQ((calls_.*call)(handle, kRam + 0x4000), MV_STATUS_INVALIDHANDLE) << i;
    }
  }
  EXPECT_TRUE(service_.carried.empty());
}

TEST_F(ChannelCallsTest, TheOtherCallsWithADeadHandle) {
  EXPECT_EQ(calls_.close(kOutside), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(calls_.close(put({kDead})), MV_STATUS_INVALIDHANDLE);
  EXPECT_EQ(calls_.closure_reason(kDead, kOutside), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(calls_.closure_reason(kDead, kRam), MV_STATUS_INVALIDHANDLE);
  EXPECT_EQ(calls_.read(kDead, kOutside, kRam), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(calls_.read(kDead, kRam, kOutside), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(calls_.read(kDead, kRam, kRam), MV_STATUS_INVALIDHANDLE);
  EXPECT_EQ(calls_.read_complete(kDead, 0), MV_STATUS_INVALIDHANDLE);
  EXPECT_EQ(calls_.write(kDead, kOutside, 4, kOutside), MV_STATUS_INVALIDHANDLE) << "writing looks at the handle first";
  EXPECT_EQ(calls_.write_stream(kDead, kOutside, 4, kOutside), MV_STATUS_INVALIDHANDLE);
  EXPECT_EQ(calls_.http_header(kDead, 0, kOutside, 4), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(calls_.http_header(kDead, 0, kRam, 4), MV_STATUS_INVALIDHANDLE);
  EXPECT_EQ(calls_.http_body(kDead, 0, kOutside, 4), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(calls_.http_body(kDead, 0, kRam, 4), MV_STATUS_INVALIDHANDLE);
  EXPECT_EQ(calls_.mqtt_acknowledge(kDead, 1), MV_STATUS_INVALIDHANDLE);
  EXPECT_EQ(calls_.mqtt_disconnect(kDead), MV_STATUS_INVALIDHANDLE);
}

TEST_F(ChannelCallsTest, GoodCallsReachTheService) {
  const std::uint32_t bytes = open(MV_CHANNELTYPE_OPAQUEBYTES), mqtt = open(MV_CHANNELTYPE_MQTT);
  EXPECT_EQ(calls_.write(bytes, kOutside, 4, kRam), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(calls_.write(bytes, kRam, 4, kOutside), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(calls_.write(bytes, kRam, 4, kRam), MV_STATUS_OKAY);
  EXPECT_EQ(calls_.write_stream(bytes, kRam, 4, kRam), MV_STATUS_OKAY);
  EXPECT_EQ(calls_.read(bytes, kRam, kRam), MV_STATUS_OKAY);
  EXPECT_EQ(calls_.mqtt_disconnect(mqtt), MV_STATUS_OKAY);
  using Kind = ChannelCall::Kind;
  EXPECT_EQ(service_.carried, (std::vector{Kind::kWrite, Kind::kWriteStream, Kind::kRead, Kind::kMqttDisconnect}));
}

TEST_F(ChannelCallsTest, AnHttpRequestIsFollowedThroughItsPointers) {
  const std::uint32_t handle = open(MV_CHANNELTYPE_HTTP);
  const std::uint32_t get = text("GET"), url = text("https://example.com");
  const std::uint32_t headers = put({6, text("A: b\r\n"), 6, text("C: d\r\n")});
  const auto send = [&](std::size_t word, std::uint32_t value) {
    std::vector<std::uint32_t> request = {get, 3, url, 19, 2, headers, kRam, 0, 5000};
    request[word] = value;
    return calls_.http_request(handle, put(request));
  };
  EXPECT_EQ(send(8, 10000), MV_STATUS_OKAY);
  EXPECT_EQ(send(0, kOutside), MV_STATUS_LATEFAULT) << "method";
  EXPECT_EQ(send(2, kOutside), MV_STATUS_LATEFAULT) << "url";
  EXPECT_EQ(send(5, kOutside), MV_STATUS_LATEFAULT) << "headers";
  EXPECT_EQ(send(5, put({6, kOutside, 6, kRam})), MV_STATUS_LATEFAULT) << "a header's text";
  EXPECT_EQ(send(7, 0x20000), MV_STATUS_LATEFAULT) << "body";
  EXPECT_EQ(send(4, 33), MV_STATUS_TOOMANYELEMENTS);
  EXPECT_EQ(send(4, 0xffffffff), MV_STATUS_TOOMANYELEMENTS);
  EXPECT_EQ(send(7, 512 - 3 - 19 - 12), MV_STATUS_OKAY) << "just fits the send buffer";
  EXPECT_EQ(send(7, 512 - 3 - 19 - 11), MV_STATUS_INVALIDBUFFERSIZE);
}

TEST_F(ChannelCallsTest, AConfigRequestIsFollowedThroughItsPointers) {
  const std::uint32_t handle = open(MV_CHANNELTYPE_CONFIGFETCH), key = text("interval");
  const auto fetch = [&](std::size_t word, std::uint32_t value) {
    std::vector<std::uint32_t> item = {1, 1, key, 8};
    item[word] = value;
    return calls_.config_request(handle, put({1, put(item)}));
  };
  EXPECT_EQ(fetch(0, 0), MV_STATUS_OKAY);
  EXPECT_EQ(fetch(0, 2), MV_STATUS_UNKNOWNCONFIGSCOPE);
  EXPECT_EQ(fetch(1, 2), MV_STATUS_UNKNOWNCONFIGSTORE);
  EXPECT_EQ(fetch(2, kOutside), MV_STATUS_LATEFAULT);
  EXPECT_EQ(fetch(3, 0), MV_STATUS_INVALIDCONFIGKEY);
  EXPECT_EQ(fetch(3, 101), MV_STATUS_INVALIDCONFIGKEY);
  EXPECT_EQ(fetch(2, text("a\nkey it")), MV_STATUS_INVALIDCONFIGKEY);
  EXPECT_EQ(calls_.config_request(handle, put({33, kRam})), MV_STATUS_TOOMANYCONFIGKEYS);
  EXPECT_EQ(calls_.config_request(handle, put({1, kOutside})), MV_STATUS_LATEFAULT);
  const std::uint32_t long_key = text(std::string(90, 'k'));
  std::vector<std::uint32_t> items;
  for (int i = 0; i < 6; ++i) items.insert(items.end(), {0, 0, long_key, 90});
  EXPECT_EQ(calls_.config_request(handle, put({6, put(items)})), MV_STATUS_INVALIDBUFFERSIZE);
  EXPECT_EQ(calls_.config_item(handle, put({0, kRam, kRam, 100, kRam})), MV_STATUS_OKAY);
  EXPECT_EQ(calls_.config_item(handle, put({0, kOutside, kRam, 100, kRam})), MV_STATUS_LATEFAULT);
  EXPECT_EQ(calls_.config_item(handle, put({0, kRam, kRam, 100, kOutside})), MV_STATUS_LATEFAULT);
}

TEST_F(ChannelCallsTest, AnMqttConnectionIsFollowedThroughItsPointers) {
  const std::uint32_t handle = open(MV_CHANNELTYPE_MQTT), name = text("name");
  const std::uint32_t certificates = put({name, 4, name, 4});
  const auto tls = [&](std::initializer_list<std::uint32_t> words) { return put(words); };
  const auto connect = [&](std::size_t word, std::uint32_t value) {
    std::vector<std::uint32_t> request = {1, name, 4, 8883, name, 4, 0, kOutside, 4, kOutside, 4, 0, 60, 1, 0};
    request[word] = value;
    return calls_.mqtt_connect(handle, put(request));
  };
  EXPECT_EQ(connect(0, 0), MV_STATUS_OKAY) << "name and password are not looked at without the method";
  EXPECT_EQ(connect(6, 0xabcd0000), MV_STATUS_OKAY) << "the method is one byte";
  EXPECT_EQ(connect(6, 1), MV_STATUS_LATEFAULT);
  EXPECT_EQ(connect(6, 2), MV_STATUS_INVALIDAUTHENTICATION);
  EXPECT_EQ(connect(1, kOutside), MV_STATUS_LATEFAULT);
  EXPECT_EQ(connect(2, 0), MV_STATUS_REQUIREDELEMENTMISSING) << "host";
  EXPECT_EQ(connect(5, 0), MV_STATUS_REQUIREDELEMENTMISSING) << "client id";
  EXPECT_EQ(connect(11, kOutside), MV_STATUS_LATEFAULT);
  EXPECT_EQ(connect(11, tls({2, certificates, 1, certificates, name, 4})), MV_STATUS_OKAY);
  EXPECT_EQ(connect(11, tls({9, certificates, 0, 0, 0, 0})), MV_STATUS_TOOMANYELEMENTS);
  EXPECT_EQ(connect(11, tls({0, 0, 9, certificates, name, 4})), MV_STATUS_TOOMANYELEMENTS);
  EXPECT_EQ(connect(11, tls({0, 0, 1, certificates, name, 0})), MV_STATUS_REQUIREDELEMENTMISSING) << "key";
  EXPECT_EQ(connect(11, tls({1, kOutside, 0, 0, 0, 0})), MV_STATUS_LATEFAULT);
  EXPECT_EQ(connect(11, tls({1, put({kOutside, 4}), 0, 0, 0, 0})), MV_STATUS_LATEFAULT);
  EXPECT_EQ(connect(11, tls({0, 0, 1, certificates, kOutside, 4})), MV_STATUS_LATEFAULT);
  EXPECT_EQ(connect(14, put({name, 4, name, 4, 1, 0})), MV_STATUS_OKAY);
  EXPECT_EQ(connect(14, put({name, 0, name, 4, 1, 0})), MV_STATUS_REQUIREDELEMENTMISSING);
  EXPECT_EQ(connect(14, put({name, 4, name, 0, 1, 0})), MV_STATUS_REQUIREDELEMENTMISSING);
  EXPECT_EQ(connect(14, put({name, 4, kOutside, 4, 1, 0})), MV_STATUS_LATEFAULT);
  EXPECT_EQ(connect(14, kOutside), MV_STATUS_LATEFAULT);
  const std::uint32_t both = tls({0, 0, 1, certificates, name, 4});
  EXPECT_EQ(calls_.mqtt_connect(handle, put({1, name, 4, 1, name, 4, 1, name, 4, name, 4, both, 60, 1, 0})),
            MV_STATUS_INVALIDAUTHENTICATION);
}

TEST_F(ChannelCallsTest, MqttTopicsAreBoundedAndFollowed) {
  const std::uint32_t handle = open(MV_CHANNELTYPE_MQTT), name = text("topic");
  const std::uint32_t subscription = put({name, 5, 1, 0, 0, 0}), bad = put({kOutside, 5, 1, 0, 0, 0});
  EXPECT_EQ(calls_.mqtt_subscribe(handle, put({1, subscription, 1})), MV_STATUS_OKAY);
  EXPECT_EQ(calls_.mqtt_subscribe(handle, put({1, subscription, 9})), MV_STATUS_TOOMANYELEMENTS);
  EXPECT_EQ(calls_.mqtt_subscribe(handle, put({1, subscription, 0})), MV_STATUS_REQUIREDELEMENTMISSING);
  EXPECT_EQ(calls_.mqtt_subscribe(handle, put({1, bad, 1})), MV_STATUS_LATEFAULT);
  EXPECT_EQ(calls_.mqtt_subscribe(handle, put({1, 0xfffffff8, 8})), MV_STATUS_LATEFAULT);
  EXPECT_EQ(calls_.mqtt_unsubscribe(handle, put({1, subscription, 1})), MV_STATUS_OKAY);
  EXPECT_EQ(calls_.mqtt_unsubscribe(handle, put({1, subscription, 9})), MV_STATUS_TOOMANYELEMENTS);
  EXPECT_EQ(calls_.mqtt_unsubscribe(handle, put({1, subscription, 0})), MV_STATUS_REQUIREDELEMENTMISSING);
  EXPECT_EQ(calls_.mqtt_unsubscribe(handle, put({1, bad, 1})), MV_STATUS_LATEFAULT);
  EXPECT_EQ(calls_.mqtt_publish(handle, put({1, name, 5, name, 5, 1, 0})), MV_STATUS_OKAY);
  EXPECT_EQ(calls_.mqtt_publish(handle, put({1, kOutside, 5, name, 5, 1, 0})), MV_STATUS_LATEFAULT);
  EXPECT_EQ(calls_.mqtt_publish(handle, put({1, name, 5, kOutside, 5, 1, 0})), MV_STATUS_LATEFAULT);
}

TEST_F(ChannelCallsTest, EveryPlaceOfAnMqttAnswerIsLookedAt) {
  const std::uint32_t handle = open(MV_CHANNELTYPE_MQTT);
  const auto each = [&](MvStatus (ChannelCalls::*call)(std::uint32_t, std::uint32_t),
                        const std::vector<std::uint32_t>& good, std::initializer_list<std::size_t> pointers) {
    EXPECT_EQ((calls_.*call)(handle, put(good)), MV_STATUS_OKAY);
    for (const std::size_t pointer : pointers) {
      std::vector<std::uint32_t> words = good;
      words[pointer] = kOutside;
      EXPECT_EQ((calls_.*call)(handle, put(words)), MV_STATUS_LATEFAULT) << pointer;
    }
  };
  each(&ChannelCalls::mqtt_subscribe_response, {kRam, kRam, kRam, 8, kRam}, {0, 1, 2, 4});
  each(&ChannelCalls::mqtt_unsubscribe_response, {kRam, kRam, kRam, 8, kRam}, {0, 1, 2, 4});
  each(&ChannelCalls::mqtt_message, {kRam, kRam, 8, kRam, kRam, 8, kRam, kRam, kRam}, {0, 1, 3, 4, 6, 7, 8});
  each(&ChannelCalls::mqtt_lost_message, {kRam, kRam, 8, kRam, kRam}, {0, 1, 3, 4});
}

}  // namespace
}  // namespace mv::app
