// The device's end of a link in memory, and a cloud around it, for the tests of the device link.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cloud/link/link_session.h"
#include "cloud/link/memory_connection.h"
#include "cloud/store/sqlite_store.h"
#include "cloud/temporary_folder.h"

namespace mv::cloud {

using frame::CloseReason;
using frame::Stream;
using frame::Type;

inline constexpr const char* kAccount = "AC00000000000000000000000000000001";
inline constexpr const char* kDevice = "UV00000000000000000000000000000001";
inline constexpr Microseconds kSecond = 1'000'000;

struct Received {
  Type type;
  Stream stream;
  std::string payload;
};

inline std::string raw_frame(unsigned type, unsigned stream, std::string_view payload) {
  const std::string header = {static_cast<char>(type), static_cast<char>(stream),
                              static_cast<char>(payload.size() >> 8), static_cast<char>(payload.size() & 0xFF)};
  return header + std::string(payload);
}

inline std::string a_frame(Type type, Stream stream, std::string_view payload) {
  return raw_frame(static_cast<unsigned>(type), static_cast<unsigned>(stream), payload);
}

inline std::string number(std::uint32_t value) { return std::string(as_chars(frame::write_u32(value))); }

inline wire::DeviceControl hello_message(const std::string& device = kDevice, std::uint32_t protocol = 1) {
  wire::DeviceControl message;
  message.mutable_hello()->set_protocol(protocol);
  message.mutable_hello()->set_device_id(device);
  message.mutable_hello()->set_boot_id(7);
  return message;
}

inline std::string control(const wire::DeviceControl& message) {
  return a_frame(Type::kData, Stream::kControl, message.SerializeAsString());
}

inline std::vector<wire::BlobChunk> chunks(const std::vector<Received>& frames) {
  std::vector<wire::BlobChunk> found;
  for (const Received& received : frames) {
    if (received.stream != Stream::kBlob || received.type != Type::kData) continue;
    EXPECT_TRUE(found.emplace_back().ParseFromString(received.payload));
  }
  return found;
}

// The device's end of one link.
class Link {
 public:
  Link(Services& services, std::string device = kDevice) : session_(services, connection_, std::move(device)) {}

  void send(const std::string& bytes) { session_.on_bytes(as_bytes(bytes)); }
  void hello() { send(control(hello_message())); }

  // The frames that came since.
  std::vector<Received> take() {
    const std::string bytes = std::exchange(connection_.output, {});
    auto rest = as_bytes(bytes);
    std::vector<Received> frames;
    while (const auto one = decoder_.next(rest)) {
      frames.push_back({one->type, one->stream, std::string(as_chars(one->payload))});
    }
    return frames;
  }

  std::vector<wire::CloudControl> take_control() {
    std::vector<wire::CloudControl> messages;
    for (const Received& received : take()) {
      if (received.type != Type::kData || received.stream != Stream::kControl) continue;
      EXPECT_TRUE(messages.emplace_back().ParseFromString(received.payload));
    }
    return messages;
  }

  // Reason and text of the CLOSE that ended the link.
  std::pair<int, std::string> close() {
    for (const Received& received : take()) {
      if (received.type != Type::kClose || received.stream != Stream::kControl) continue;
      const auto high = static_cast<unsigned char>(received.payload[0]);
      const auto low = static_cast<unsigned char>(received.payload[1]);
      return {high << 8 | low, received.payload.substr(2)};
    }
    return {-1, "no CLOSE came"};
  }

  MemoryConnection& connection() { return connection_; }
  LinkSession& session() { return session_; }

 private:
  MemoryConnection connection_;
  LinkSession session_;
  frame::FrameDecoder decoder_;
};

class LinkFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    Device device;
    device.sid = kDevice;
    device.account_sid = kAccount;
    ASSERT_TRUE(store_->add_device(device));
  }

  static std::unique_ptr<Store> open(const std::string& path) {
    auto store = open_sqlite_store(path);
    EXPECT_TRUE(store);
    return std::move(*store);
  }

  std::vector<Event> events(const std::string& kind) const {
    auto found = *store_->events(kAccount, kDevice, 0, 0, 1000);
    std::erase_if(found, [&](const Event& event) { return event.kind != kind; });
    return found;
  }

  TemporaryFolder folder_;
  std::string path_ = (folder_.path() / "store.db").string();
  std::unique_ptr<Store> store_ = open(path_);
  BlobStore blobs_ = *BlobStore::open(folder_.path() / "blobs");
  std::unique_ptr<Bus> bus_ = make_in_process_bus();
  LinkTable links_;
  Metrics metrics_;
  Microseconds now_ = 1'800'000'000 * kSecond;
  Services services_{
      Settings{{"localhost"}, "localhost"}, *store_, blobs_, *bus_, links_, metrics_, {}, [this] { return now_; }};
};

}  // namespace mv::cloud
