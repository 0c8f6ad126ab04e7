// A bundle: an application as it travels. Reading, making, signing.
//
//   auto bundle = Bundle::open("app.zip");                     // everything but the signature is checked here
//   auto signer = bundle->manifest().verify(trusted_keys);     // and that here
//   for (const Layer& layer : bundle->manifest().body().layers) bundle->read_layer(layer, sink);
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "bundle/archive.h"
#include "bundle/image.h"
#include "bundle/manifest.h"

namespace mv::bundle {

// Exists only if the zip is consistent, the manifest is valid, and every layer is there and is what the manifest says
// (fetch hash, measurement hash, segment hashes, sizes). Reads a file piece by piece: memory does not grow with it.
// Reads bundles of the original too.
class Bundle {
 public:
  // Errors: kUnreadable, kBadArchive, kTooBig, kBadManifest, kOutsideArea, kOverlap, kWrongContent.
  static Expected<Bundle> open(const std::filesystem::path& path, const Limits& limits = {});

  // `bytes` must outlive the bundle.
  static Expected<Bundle> parse(Bytes bytes, const Limits& limits = {});

  const Manifest& manifest() const { return manifest_; }

  // A layer's file as it is stored, encrypted or not, piece by piece. Checked once more against
  // its hash, for the file may have changed since: on error, throw away what the sink was given.
  Expected<void> read_layer(const Layer& layer, const Sink& sink) const;

  // What is in the encrypted layers, for whoever has a key to them: the content of each, in their order, checked
  // against every hash. Errors: kBadKey (nothing is encrypted, or not to this key), kWrongContent.
  Expected<std::vector<std::vector<std::uint8_t>>> decrypt(const PrivateKey& key) const;

  // Bytes of the layer's file.
  std::uint64_t layer_bytes(const Layer& layer) const;

  // The same content with another manifest (of the same body): how a bundle is signed.
  Expected<std::vector<std::uint8_t>> encode_with(const Manifest& manifest) const;

 private:
  static Expected<Bundle> check(Archive archive, const Limits& limits);
  Expected<void> check_layer(const Layer& layer);
  Expected<void> check_sealed(const Layer& layer) const;

  Bundle(Archive archive, Manifest manifest) : archive_(std::move(archive)), manifest_(std::move(manifest)) {}

  Archive archive_;
  Manifest manifest_;
  std::vector<std::uint64_t> sizes_;  // by index of the layer
};

struct CreateOptions {
  Policies policies;
  AppInfo info;                            // `board` chooses the board; `build_id` is taken from the image
  const PrivateKey* signer = nullptr;      // nullptr: unsigned
  std::vector<PublicKey> encrypt_to = {};  // who can read the layers, at most 4; none: everybody
};

// The bytes of a bundle. The same image, options and key give the same bytes, unless they are encrypted.
// Errors: those of make_layers and Manifest, and kTooBig if no device takes so big a manifest or so many readers.
Expected<std::vector<std::uint8_t>> create_bundle(const Image& image, const CreateOptions& options);

}  // namespace mv::bundle
