// Feeds arbitrary bytes of a device to its session: before Hello as they are, and once as frames after a good Hello.
#include <google/protobuf/stubs/logging.h>
#include <spdlog/spdlog.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "cloud/delta/deltas.h"
#include "cloud/delta/test_bundle.h"
#include "cloud/link/link_session.h"
#include "cloud/link/memory_connection.h"
#include "cloud/store/sqlite_store.h"
#include "cloud/temporary_folder.h"

namespace {

using namespace mv::cloud;

constexpr const char* kDevice = "UV00000000000000000000000000000001";

// Made once: opening a database costs more than a run.
struct Cloud {
  Cloud() {
    spdlog::set_level(spdlog::level::off);
    google::protobuf::SetLogHandler(nullptr);
    services.deltas = &deltas;
    add_target();
  }

  // A device that is to run a bundle of two layers, of which segments may be had.
  void add_target() {
    const std::vector<std::string> contents{noise(40'000, 1), noise(100, 2)};
    App app = put_bundle(blobs, contents);
    app.sid = "KA1";
    app.account_sid = "AC";
    Device device;
    device.sid = kDevice;
    device.account_sid = "AC";
    if (!store->add_app(app, {}) || !store->add_device(device)) std::abort();
    device.desired.app_sid = app.sid;
    if (!store->update_device(device, 0)) std::abort();
  }

  TemporaryFolder folder;
  std::unique_ptr<Store> store = std::move(*open_sqlite_store(":memory:"));
  BlobStore blobs = *BlobStore::open(folder.path() / "blobs");
  std::unique_ptr<Bus> bus = make_in_process_bus();
  LinkTable links;
  Metrics metrics;
  Services services{Settings{{"localhost"}, "localhost"}, *store, blobs, *bus, links, metrics, {}, [] {
                      return Microseconds{1'800'000'000'000'000};
                    }};
  Deltas deltas{*DeltaCache::open(folder.path() / "deltas", 1 << 20), blobs, metrics, services.run_aside};
};

std::string hello() {
  mv::wire::DeviceControl message;
  message.mutable_hello()->set_protocol(1);
  message.mutable_hello()->set_device_id(kDevice);
  const std::string payload = message.SerializeAsString();
  return std::string{2, 0, 0, static_cast<char>(payload.size())} + payload;
}

// Splits the bytes into frames whose headers are right: the length byte says where the next begins.
std::string as_frames(std::string_view bytes) {
  std::string frames;
  while (bytes.size() >= 3) {
    const std::size_t length = std::min<std::size_t>(static_cast<std::uint8_t>(bytes[2]), bytes.size() - 3);
    frames += static_cast<char>(1 + static_cast<std::uint8_t>(bytes[0]) % 6);
    frames += static_cast<char>(static_cast<std::uint8_t>(bytes[1]) % 20);
    frames += '\0';
    frames += static_cast<char>(length);
    frames += bytes.substr(3, length);
    bytes.remove_prefix(3 + length);
  }
  return frames;
}

void run(Cloud& cloud, const std::string& bytes) {
  MemoryConnection connection;
  LinkSession session(cloud.services, connection, kDevice);
  session.on_bytes(as_bytes(bytes));
  connection.output.clear();
  session.on_drained();
  session.on_closed();
  if (cloud.links.size() != 0) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Cloud cloud;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  run(cloud, bytes);
  run(cloud, hello() + as_frames(bytes));
  return 0;
}
