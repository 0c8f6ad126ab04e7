// What the tests of the update engine share: bundles made on the spot, a cloud that serves them, a supervisor that
// notes what it is told, and a device made of all that which can be switched off and on.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "boards/host/fake_flash.h"
#include "boards/host/fakes.h"
#include "bundle/sealed_layer.h"
#include "core/update/update_engine.h"
#include "wire/proto/manifest.pb.h"

namespace mv::update::rig {

using Bytes = std::vector<std::uint8_t>;

Hash sha256(const Bytes& bytes);

// Starts the crypto library; once a program.
void set_up_crypto();

// A signer with a P-256 key pair of his own.
class Signer {
 public:
  Signer();
  ~Signer();
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;

  const std::array<std::uint8_t, 65>& point() const { return point_; }
  std::uint64_t id() const { return key_id(point_); }
  // r || s over `prefix`, NUL, `body`.
  Bytes sign(const std::string& body, const std::string& prefix = "twlo-mv-manifest-v1") const;

 private:
  std::uint32_t key_ = 0;
  std::array<std::uint8_t, 65> point_{};
};

// Accepts every signature: the tests that cut the power thousands of times are about flash.
class AcceptAll final : public SignatureCheck {
 public:
  tl::expected<SignerIds, mv_wire_UpdateError> check(std::span<const Signature>,
                                                     std::span<const std::uint8_t>) override {
    return {};
  }
  bool enough(const SignerIds&) const override { return is_enough; }

  bool is_enough = true;
};

// A bundle: the file `manifest` and its layers.
struct Bundle {
  Bytes manifest;
  Hash hash{};
  std::vector<Bytes> layers;  // plain contents
  wire::AppBody body;
  std::vector<std::vector<Bytes>> sealed;  // of each layer, its segments, if the bundle is encrypted
};

Bytes pattern(std::size_t size, unsigned seed);
void add_layer(Bundle& bundle, std::uint32_t start, std::uint32_t size, const Bytes& content);
// As the original's tools made it: without sizes of contents and hashes of segments.
void make_original(Bundle& bundle);
// Encrypts the layers to these keys, as mvctl does. Before `seal`.
void encrypt(Bundle& bundle, const std::vector<bundle::PublicKey>& readers);
// Wraps the body and signs it, if there is a signer.
void seal(Bundle& bundle, const std::vector<const Signer*>& signers = {});
// Layers of `contents` at pages one after the other; whatever `edit` wants is done to the body before it is sealed.
Bundle make_bundle(const std::vector<Bytes>& contents, unsigned politeness_sec = 0);
// The same, to be confirmed within `confirm_sec`.
Bundle make_trial_bundle(const std::vector<Bytes>& contents, unsigned confirm_sec);

// The cloud's bundles, fetched piece by piece as `pump` is called. Segments come as the real encoder makes them.
class FakeCloud final : public link::BlobFetcher {
 public:
  void add(const Bundle& bundle);
  // What it has of the layer is something else than the bundle says.
  void replace_layer(const Bundle& bundle, std::size_t layer, Bytes bytes);
  // What it has of an encrypted segment; empty: nothing. Change it, and it was changed on the way.
  Bytes& sealed_segment(const Bundle& bundle, std::size_t layer, std::size_t segment) {
    return sealed_.at(bundle.hash).at(layer).at(segment);
  }
  // It believes this to be the image of a bundle.
  void believe(const Hash& bundle, const Bytes& image);

  bool ready() const override { return connected && !open_; }
  bool fetch(std::span<const std::uint8_t, 32> hash, std::uint32_t offset, std::uint32_t length,
             link::BlobSink& sink) override;
  bool fetch_segments(const link::SegmentQuery& query, link::BlobSink& sink) override;
  void cancel() override { open_.reset(); }

  void pump();        // delivers one chunk
  void disconnect();  // interrupts an open fetch
  void connect() { connected = true; }

  std::uint64_t bytes_served = 0;
  std::uint32_t chunk = 1900;
  bool connected = true;

 private:
  struct Open {
    const Bytes* blob;  // null: it is missing
    std::uint32_t offset, end;
    link::BlobSink* sink;
    const std::vector<Bytes>* records = nullptr;  // of the layer; then `offset` is within the lowest that is wanted
    std::uint32_t wanted = 0;
  };
  struct Image {
    Bytes bytes;  // contents of all layers
    std::vector<std::uint32_t> layers;
  };
  using Records = std::vector<std::vector<Bytes>>;  // of each layer

  const Records& records(const Hash& from, bool has_from, const Hash& to);
  void pump_record(Open open);

  std::map<Hash, Bytes> blobs_;
  std::map<Hash, Image> images_;
  std::map<Hash, std::vector<std::vector<Bytes>>> sealed_;  // of encrypted bundles
  std::map<std::pair<Hash, Hash>, Records> records_;
  std::optional<Open> open_;
};

// Notes what the engine says.
class FakeHost final : public ApplicationHost, public Notifier {
 public:
  bool application_runs() override { return runs; }
  bool application_held() override { return held; }
  void stop_for_install() override {
    runs = false;
    ++stops;
  }
  void install_ended(bool installed) override {
    runs = installed;
    ++(installed ? starts : failures);
  }
  void update_withdrawn() override { ++withdrawn; }
  bool update_staged() override {
    ++told;
    return listens;
  }
  void network_changed(bool) override {}

  bool runs = false;
  bool held = false;
  bool listens = false;
  int stops = 0, starts = 0, failures = 0, withdrawn = 0, told = 0;
};

// One boot of a device on `flash`.
class Device {
 public:
  Device(host::FakeFlash& flash, FakeCloud& cloud, SignatureCheck& signatures, const char* board = "mps2-an505",
         DecryptionKeys keys = {})
      : Device(flash, flash, cloud, signatures, board, keys) {}
  // `access`: what the engine is given for `flash`.
  Device(Flash& access, host::FakeFlash& flash, FakeCloud& cloud, SignatureCheck& signatures,
         const char* board = "mps2-an505", DecryptionKeys keys = {})
      : flash_(flash), cloud_(cloud), engine({access, clock, cloud, host, signatures, board, keys}) {
    engine.boot(host);
    host.runs = engine.running() != nullptr && !engine.installing();
  }
  ~Device() { cloud_.cancel(); }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  void desire(const Bundle& bundle, std::uint64_t generation = 1, bool force = false);
  void desire_nothing(std::uint64_t generation = 1);

  // Goes on until nothing happens any more, the power is gone, or `limit` steps are done.
  void run(int limit = 100000);

  mv_wire_AppReport report();
  bool runs(const Bundle& bundle) { return engine.running() != nullptr && engine.running()->hash == bundle.hash; }

  host::FakeClock clock;
  FakeHost host;
  std::uint64_t first_generation = 0;  // added to that of every order

 private:
  host::FakeFlash& flash_;
  FakeCloud& cloud_;

 public:
  UpdateEngine engine;
};

// The application's area holds exactly what the bundle's layers say.
bool installed(host::FakeFlash& flash, const Bundle& bundle);

// A flash as large as the areas that updates use.
inline constexpr std::uint32_t kFlashSize = 0x400000;

}  // namespace mv::update::rig
