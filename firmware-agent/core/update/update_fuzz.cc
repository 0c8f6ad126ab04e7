// An update whose cloud answers what it likes, piece by piece: true bytes, changed ones, noise, nothing; between them
// the link ends and the power fails. Whatever comes, what is installed is the old bundle or the new one, whole.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "core/link/blob_client.h"
#include "core/update/update_rig.h"
#include "delta/encoder.h"
#include "wire/proto/link.pb.h"

namespace {

using namespace mv;
using namespace mv::update;
using rig::Bundle;
using rig::Bytes;

constexpr std::size_t kMostSteps = 64;
constexpr std::size_t kMostData = 1900;  // of a chunk

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const std::uint8_t first = rest_.front();
    rest_ = rest_.subspan(1);
    return first;
  }
  std::uint32_t word() {
    const std::uint32_t high = byte();
    return high << 8U | byte();
  }
  std::string bytes(std::size_t most) {
    const auto taken = rest_.first(std::min(most, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return {taken.begin(), taken.end()};
  }

 private:
  std::span<const std::uint8_t> rest_;
};

// A device that runs `old`, and what the true cloud has.
struct World {
  World() {
    rig::set_up_crypto();
    rig::FakeCloud cloud;
    cloud.add(old);
    rig::Device device(flash, cloud, accept);
    device.desire(old);
    device.run();
    if (!device.runs(old)) __builtin_trap();
    const auto encoder = mv::delta::Encoder::create(old.layers[0]);
    const std::array layers = {static_cast<std::uint32_t>(next.layers[0].size())};
    const auto segments = encoder->encode(next.layers[0], layers);
    for (const auto& segment : *segments) records.push_back(segment.record);
  }

  static Bytes content(unsigned tag) {
    Bytes bytes = rig::pattern(mv::delta::kSegmentSize + 700, 1);
    const Bytes news = rig::pattern(200, tag);
    std::ranges::copy(news, bytes.begin() + 3000);
    std::ranges::copy(news, bytes.end() - 300);
    return bytes;
  }

  rig::AcceptAll accept;
  Bundle old = rig::make_bundle({content(2)});
  Bundle next = rig::make_bundle({content(3)});
  std::vector<Bytes> records;
  host::FakeFlash flash{rig::kFlashSize};
};

// One boot of the device, with its end of the blob stream.
class Boot {
 public:
  Boot(World& world, host::FakeFlash& flash)
      : engine_({flash, clock_, blobs_, host_, world.accept, "mps2-an505"}), world_(world) {
    engine_.boot(host_);
    blobs_.connected();
  }

  void desire(std::uint64_t generation) {
    mv_wire_Desired desired = mv_wire_Desired_init_zero;
    desired.generation = generation;
    desired.manifest_hash.size = 32;
    std::ranges::copy(world_.next.hash, desired.manifest_hash.bytes);
    desired.manifest_size = static_cast<std::uint32_t>(world_.next.manifest.size());
    engine_.desire(desired);
  }

  void run() {
    for (int i = 0; i < 200; ++i) {
      clock_.advance_ms(1);
      if (!engine_.poll()) break;
    }
    if (!blobs_.pending()) return;
    std::array<std::uint8_t, 256> bytes{};
    const std::size_t size = blobs_.encode_request(bytes);
    if (size == 0 || !request_.ParseFromArray(bytes.data(), static_cast<int>(size))) __builtin_trap();
    offset_ = request_.offset();
  }

  // The next chunk as the true cloud sends it, `size` bytes at most; one byte of it is changed by `mask` if that is not
  // 0.
  void serve(std::size_t size, std::size_t where, std::uint8_t mask) {
    const Bytes* blob = &world_.next.manifest;
    wire::BlobChunk chunk;
    if (request_.has_segments()) {
      const std::uint32_t wanted = request_.segments().wanted();
      if (wanted == 0) return;
      const auto segment = static_cast<std::uint32_t>(std::countr_zero(wanted));
      if (segment >= world_.records.size()) __builtin_trap();  // it asks for what the layer does not have
      blob = &world_.records[segment];
      chunk.set_segment(segment);
    }
    if (offset_ >= blob->size()) return;
    const auto rest = std::span(*blob).subspan(offset_);
    const auto taken = rest.first(std::min(size, rest.size()));
    std::string data(taken.begin(), taken.end());
    if (mask != 0) data[where % data.size()] ^= static_cast<char>(mask);
    chunk.set_offset(offset_);
    chunk.set_total(static_cast<std::uint32_t>(blob->size()));
    chunk.set_data(data);
    send(chunk);
  }

  void send(wire::BlobChunk& chunk) {
    chunk.set_request(request_.request());
    receive(chunk.SerializeAsString());
    offset_ += static_cast<std::uint32_t>(chunk.data().size());
    if (request_.has_segments() && offset_ >= chunk.total()) {
      const std::uint32_t wanted = request_.segments().wanted();
      request_.mutable_segments()->set_wanted(wanted & (wanted - 1));
      offset_ = 0;
    }
  }

  void receive(const std::string& payload) {
    blobs_.receive({reinterpret_cast<const std::uint8_t*>(payload.data()), payload.size()});
  }

  void reconnect() {
    blobs_.disconnected();
    blobs_.connected();
  }

  std::uint32_t offset() const { return offset_; }
  const Manifest* running() const { return engine_.running(); }
  bool installing() const { return engine_.installing(); }

 private:
  host::FakeClock clock_;
  rig::FakeHost host_;
  link::BlobClient blobs_;
  UpdateEngine engine_;
  World& world_;
  wire::BlobRequest request_;
  std::uint32_t offset_ = 0;
};

void check(World& world, host::FakeFlash& flash, const Boot& boot) {
  if (boot.installing()) return;
  if (boot.running() == nullptr) __builtin_trap();
  const bool is_old = boot.running()->hash == world.old.hash;
  if (!is_old && boot.running()->hash != world.next.hash) __builtin_trap();
  if (!rig::installed(flash, is_old ? world.old : world.next)) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  host::FakeFlash flash = world.flash;
  auto boot = std::make_unique<Boot>(world, flash);
  std::uint64_t generation = 2;
  boot->desire(generation);
  Input input(data, size);
  for (std::size_t step = 0; step < kMostSteps && !input.empty(); ++step) {
    boot->run();
    const std::uint8_t what = input.byte();
    switch (what % 8) {
      case 0:
      case 1:
        boot->serve(kMostData, 0, 0);
        break;
      case 2: {
        const std::size_t most = 1 + input.word() % kMostData;
        const std::size_t where = input.word();
        boot->serve(most, where, input.byte());
        break;
      }
      case 3: {
        wire::BlobChunk chunk;
        chunk.set_segment(input.byte());
        chunk.set_offset((what & 8U) != 0 ? input.word() : boot->offset());
        chunk.set_total(input.word() * ((what & 16U) != 0 ? 65537U : 1U));
        chunk.set_data(input.bytes(input.byte() * std::size_t{8}));
        boot->send(chunk);
        break;
      }
      case 4:
        boot->receive(input.bytes(input.byte()));
        break;
      case 5: {
        wire::BlobChunk missing;
        missing.set_missing(true);
        boot->send(missing);
        break;
      }
      case 6:
        boot->reconnect();
        break;
      case 7:
        if ((what & 8U) != 0) boot = std::make_unique<Boot>(world, flash);
        boot->desire(++generation);
        break;
    }
  }
  boot->run();
  check(world, flash, *boot);
  Boot again(world, flash);
  again.run();
  check(world, flash, again);
  return 0;
}
