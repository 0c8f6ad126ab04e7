#include "bundle/bundle.h"

#include <algorithm>

#include <openssl/rand.h>

#include "bundle/layers.h"
#include "bundle/sealed_layer.h"

namespace mv::bundle {
namespace {

tl::unexpected<Error> wrong(const Layer& layer, const std::string& what) {
  return refuse(ErrorKind::kWrongContent,
                "the bundle was changed or damaged: layer " + layer.region.describe() + " " + what,
                "copy or make the bundle again");
}

// Hashes a layer's content as it streams by: as a file, as a measured region, and segment by segment.
class LayerHasher {
 public:
  explicit LayerHasher(const Layer& layer) : layer_(layer) {}

  void add(Bytes piece) {
    fetched_.add(piece);
    measured_.add(piece);
    size_ += piece.size();
    while (!layer_.segment_hashes.empty() && !piece.empty()) {
      const Bytes part = piece.first(std::min<std::size_t>(piece.size(), layer_.segment_size - in_segment_));
      segment_.add(part);
      in_segment_ += static_cast<std::uint32_t>(part.size());
      if (in_segment_ == layer_.segment_size) end_segment();
      piece = piece.subspan(part.size());
    }
  }

  // The layer's file, once it is whole.
  Expected<void> check_file() {
    if (fetched_.finish() == layer_.fetch_hash) return {};
    return wrong(layer_, "does not have the hash that the manifest names");
  }

  // What the content will be on the device. Not possible for the file of an encrypted layer.
  Expected<void> check_installed() {
    if (in_segment_ > 0) end_segment();
    if (layer_.content_size != 0 && size_ != layer_.content_size)
      return wrong(layer_, "does not have the size that the manifest names");
    measured_.add_padding(layer_.region.size - size_);
    if (measured_.finish() != layer_.measurement_hash)
      return wrong(layer_, "does not have the measurement hash that the manifest names");
    if (segments_ != layer_.segment_hashes)
      return wrong(layer_, "does not have the segment hashes that the manifest names");
    return {};
  }

  std::uint64_t size() const { return size_; }

 private:
  void end_segment() {
    segments_.push_back(segment_.finish());
    segment_ = Hasher();
    in_segment_ = 0;
  }

  const Layer& layer_;
  Hasher fetched_;
  Hasher measured_;
  Hasher segment_;
  std::vector<Hash> segments_;
  std::uint64_t size_ = 0;
  std::uint32_t in_segment_ = 0;
};

Expected<std::vector<std::uint8_t>> read_all(const Archive& archive, const std::string& name, std::uint64_t most) {
  std::vector<std::uint8_t> content;
  auto read = archive.read(name, most, [&](Bytes piece) -> Expected<void> {
    content.insert(content.end(), piece.begin(), piece.end());
    return {};
  });
  if (!read) return tl::unexpected(read.error());
  return content;
}

std::string entry_name(const Layer& layer) { return hex(layer.fetch_hash); }

// Every entry must be named by the manifest: nothing travels along unseen.
Expected<void> check_entries(const Archive& archive, const Manifest& manifest) {
  const auto& layers = manifest.body().layers;
  for (const std::string& name : archive.names()) {
    const bool known = name == "manifest" || std::any_of(layers.begin(), layers.end(),
                                                         [&](const Layer& layer) { return entry_name(layer) == name; });
    if (!known) {
      return refuse(ErrorKind::kBadArchive, "the bundle has a layer that its manifest does not name: " + name,
                    "make the bundle again");
    }
  }
  for (const Layer& layer : layers) {
    if (!archive.has(entry_name(layer))) {
      return refuse(ErrorKind::kBadArchive,
                    "the bundle lacks layer " + layer.region.describe() + " (" + entry_name(layer) + ")",
                    "copy or make the bundle again");
    }
  }
  return {};
}

// A manifest that a device takes: segment hashes of the external flash are left out if they make it too long (then that
// part of an update travels whole). Of encrypted layers they have to stay.
Expected<Manifest> fitting_manifest(AppBody body) {
  auto manifest = Manifest::from_body(body);
  if (manifest && manifest->body_bytes().size() > kDeviceBodyBytes && body.recipients.empty()) {
    for (Layer& layer : body.layers) {
      if (layer.region.area == AreaKind::kExternalFlash) layer.segment_hashes.clear(), layer.segment_size = 0;
    }
    manifest = Manifest::from_body(body);
  }
  if (manifest && manifest->body_bytes().size() > kDeviceBodyBytes) {
    return refuse(ErrorKind::kTooBig,
                  "the manifest would be " + std::to_string(manifest->body_bytes().size()) +
                      " bytes long, a device takes " + std::to_string(kDeviceBodyBytes),
                  body.recipients.empty() ? "shorten name and version" : "make the application smaller");
  }
  return manifest;
}

// Seals each content in its place and says in `body` for whom.
Expected<void> encrypt(std::vector<LayerContent>& layers, const std::vector<PublicKey>& readers, AppBody& body) {
  if (readers.size() > sealed::kMostRecipients) {
    return refuse(ErrorKind::kTooBig, "a bundle is encrypted to at most " + std::to_string(sealed::kMostRecipients) +
                                          " keys, these are " + std::to_string(readers.size()));
  }
  const auto key = ContentKey::generate();
  if (!key) return tl::unexpected(key.error());
  for (const PublicKey& reader : readers) {
    auto recipient = key->wrap(reader);
    if (!recipient) return tl::unexpected(recipient.error());
    body.recipients.push_back(std::move(*recipient));
  }
  std::uint64_t id = 0;
  while (id == 0) {
    if (RAND_bytes(reinterpret_cast<unsigned char*>(&id), sizeof(id)) != 1)
      return refuse(ErrorKind::kBadKey, "the system has no randomness");
  }
  for (std::uint32_t i = 0; i < layers.size(); ++i) {
    auto file = key->seal(layers[i].content, i);
    if (!file) return tl::unexpected(file.error());
    layers[i].content = std::move(*file);
    layers[i].layer.fetch_hash = sha256(layers[i].content);
    layers[i].layer.encrypted_with_key_id = id;
  }
  return {};
}

}  // namespace

Expected<Bundle> Bundle::open(const std::filesystem::path& path, const Limits& limits) {
  auto archive = Archive::open(path, limits);
  if (!archive) return tl::unexpected(archive.error());
  return check(std::move(*archive), limits);
}

Expected<Bundle> Bundle::parse(Bytes bytes, const Limits& limits) {
  auto archive = Archive::open(bytes, limits);
  if (!archive) return tl::unexpected(archive.error());
  return check(std::move(*archive), limits);
}

Expected<Bundle> Bundle::check(Archive archive, const Limits& limits) {
  if (!archive.has("manifest")) {
    return refuse(ErrorKind::kBadArchive, "it is a zip file, but not a bundle: it has no entry 'manifest'",
                  "make one with mvctl bundle create");
  }
  const auto encoded = read_all(archive, "manifest", limits.manifest_bytes);
  if (!encoded) return tl::unexpected(encoded.error());
  auto manifest = Manifest::parse(*encoded, limits);
  if (!manifest) return tl::unexpected(manifest.error());
  if (auto checked = check_entries(archive, *manifest); !checked) return tl::unexpected(checked.error());
  Bundle bundle(std::move(archive), std::move(*manifest));
  for (const Layer& layer : bundle.manifest_.body().layers) {
    if (auto checked = bundle.check_layer(layer); !checked) return tl::unexpected(checked.error());
  }
  return bundle;
}

Expected<void> Bundle::check_layer(const Layer& layer) {
  LayerHasher hasher(layer);
  auto read = archive_.read(entry_name(layer), most_file_bytes(layer), [&](Bytes piece) -> Expected<void> {
    hasher.add(piece);
    return {};
  });
  if (!read) return read;
  sizes_.push_back(hasher.size());
  if (auto checked = hasher.check_file(); !checked) return checked;
  return layer.encrypted_with_key_id == 0 ? hasher.check_installed() : check_sealed(layer);
}

// What can be said of an encrypted layer without its key. Those of the original may be laid out as they like.
Expected<void> Bundle::check_sealed(const Layer& layer) const {
  if (manifest_.body().recipients.empty()) return {};
  const auto file = read_all(archive_, entry_name(layer), most_file_bytes(layer));
  if (!file) return tl::unexpected(file.error());
  const auto pieces = sealed_segments(*file, layer.content_size);
  if (!pieces) return tl::unexpected(pieces.error());
  return {};
}

Expected<std::vector<std::vector<std::uint8_t>>> Bundle::decrypt(const PrivateKey& key) const {
  const AppBody& body = manifest_.body();
  if (body.recipients.empty()) return refuse(ErrorKind::kBadKey, "the bundle is not encrypted");
  const auto content_key = ContentKey::unwrap(body.recipients, key);
  if (!content_key) return tl::unexpected(content_key.error());
  std::vector<std::vector<std::uint8_t>> contents;
  for (const Layer& layer : body.layers) {
    const auto file = read_all(archive_, entry_name(layer), most_file_bytes(layer));
    if (!file) return tl::unexpected(file.error());
    auto content = content_key->open(*file, static_cast<std::uint32_t>(contents.size()), layer.content_size);
    if (!content) return tl::unexpected(content.error());
    LayerHasher hasher(layer);
    hasher.add(*content);
    if (auto checked = hasher.check_installed(); !checked) return tl::unexpected(checked.error());
    contents.push_back(std::move(*content));
  }
  return contents;
}

Expected<void> Bundle::read_layer(const Layer& layer, const Sink& sink) const {
  LayerHasher hasher(layer);
  auto read = archive_.read(entry_name(layer), most_file_bytes(layer), [&](Bytes piece) -> Expected<void> {
    hasher.add(piece);
    return sink(piece);
  });
  return read ? hasher.check_file() : read;
}

std::uint64_t Bundle::layer_bytes(const Layer& layer) const {
  const auto& layers = manifest_.body().layers;
  const auto found =
      std::find_if(layers.begin(), layers.end(), [&](const Layer& l) { return l.fetch_hash == layer.fetch_hash; });
  return found == layers.end() ? 0 : sizes_[static_cast<std::size_t>(found - layers.begin())];
}

Expected<std::vector<std::uint8_t>> Bundle::encode_with(const Manifest& manifest) const {
  std::vector<std::vector<std::uint8_t>> contents;
  std::vector<Entry> entries{{"manifest", manifest.encoded()}};
  contents.reserve(archive_.names().size());
  for (const Layer& layer : manifest.body().layers) {
    const std::string name = entry_name(layer);
    if (std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.name == name; })) continue;
    auto content = read_all(archive_, name, most_file_bytes(layer));
    if (!content) return tl::unexpected(content.error());
    entries.push_back({name, contents.emplace_back(std::move(*content))});
  }
  return write_archive(entries);
}

Expected<std::vector<std::uint8_t>> create_bundle(const Image& image, const CreateOptions& options) {
  const Board* board = find_board(options.info.board);
  if (board == nullptr) {
    return refuse(ErrorKind::kBadInput, "there is no board " + options.info.board, "boards: " + board_names());
  }
  auto layers = make_layers(image, *board);
  if (!layers) return tl::unexpected(layers.error());
  AppBody body{{}, options.policies, options.info, {}};
  body.info.build_id = image.build_id();
  if (!options.encrypt_to.empty()) {
    if (auto done = encrypt(*layers, options.encrypt_to, body); !done) return tl::unexpected(done.error());
  }
  std::vector<Entry> entries(1);
  for (const auto& [layer, content] : *layers) {
    body.layers.push_back(layer);
    const std::string name = entry_name(layer);
    // Two regions with the same content are one file.
    const bool there =
        std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.name == name; });
    if (!there) entries.push_back({name, content});
  }
  auto manifest = fitting_manifest(std::move(body));
  if (manifest && options.signer != nullptr) manifest = manifest->signed_with(*options.signer);
  if (!manifest) return tl::unexpected(manifest.error());
  entries[0] = {"manifest", manifest->encoded()};
  return write_archive(entries);
}

}  // namespace mv::bundle
