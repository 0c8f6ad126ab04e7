#include "cloud/delta/records.h"

#include <numeric>
#include <optional>

namespace mv::cloud {
namespace {

// A file: this, the number of layers, each layer's head (content size, flags, number of records, their lengths, with
// the highest bit set if the record is kept), all records, SHA-256 of what is before it. Numbers have four bytes, the
// highest first.
constexpr std::string_view kMagic = "mvdelta2";
constexpr std::size_t kHashSize = 32;
constexpr std::uint32_t kServed = 1;
constexpr std::uint32_t kInstalled = 2;
constexpr std::uint32_t kSealed = 4;
constexpr std::uint32_t kKept = 1U << 31;

void write_number(std::string& bytes, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xFF);
}

// Takes bytes from the front, as long as there are any.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  std::optional<std::string_view> take(std::size_t size) {
    if (size > bytes_.size()) return std::nullopt;
    const auto taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  std::optional<std::uint32_t> number() {
    const auto bytes = take(4);
    if (!bytes) return std::nullopt;
    std::uint32_t value = 0;
    for (const char byte : *bytes) value = value << 8 | static_cast<std::uint8_t>(byte);
    return value;
  }

  std::size_t left() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
};

// A layer's head: its records have lengths, and no bytes yet.
struct Head {
  DeltaRecords::Layer layer;
  std::vector<std::uint32_t> lengths;
};

std::optional<Head> read_head(Reader& reader) {
  const auto size = reader.number(), flags = reader.number(), count = reader.number();
  if (!count || *count > reader.left() / 4) return std::nullopt;
  Head head;
  head.layer.content_size = *size;
  head.layer.served = (*flags & kServed) != 0;
  head.layer.installed = (*flags & kInstalled) != 0;
  head.layer.sealed = (*flags & kSealed) != 0;
  for (std::uint32_t i = 0; i < *count; ++i) {
    const std::uint32_t length = *reader.number();
    head.lengths.push_back(length & ~kKept);
    head.layer.kept.push_back((length & kKept) != 0);
  }
  return head;
}

std::optional<std::vector<DeltaRecords::Layer>> read_layers(Reader reader) {
  if (reader.take(kMagic.size()) != kMagic) return std::nullopt;
  const auto count = reader.number();
  if (!count) return std::nullopt;
  std::vector<Head> heads;
  for (std::uint32_t i = 0; i < *count; ++i) {
    auto head = read_head(reader);
    if (!head) return std::nullopt;
    heads.push_back(std::move(*head));
  }
  std::vector<DeltaRecords::Layer> layers;
  for (Head& head : heads) {
    for (const std::uint32_t length : head.lengths) {
      const auto record = reader.take(length);
      if (!record) return std::nullopt;
      head.layer.records.push_back(*record);
    }
    layers.push_back(std::move(head.layer));
  }
  if (reader.left() != 0) return std::nullopt;
  return layers;
}

}  // namespace

std::uint64_t DeltaRecords::Layer::record_bytes() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < records.size(); ++i) sum += kept[i] ? 0 : records[i].size();
  return sum;
}

std::uint64_t DeltaRecords::bytes_to_receive() const {
  return std::accumulate(layers_.begin(), layers_.end(), std::uint64_t{0}, [](std::uint64_t sum, const Layer& layer) {
    return sum + (layer.installed ? 0 : layer.served ? layer.record_bytes() : layer.content_size);
  });
}

DeltaRecords DeltaRecords::make(const std::vector<NewLayer>& layers) {
  std::string bytes(kMagic);
  write_number(bytes, static_cast<std::uint32_t>(layers.size()));
  for (const NewLayer& layer : layers) {
    write_number(bytes, layer.content_size);
    write_number(bytes,
                 (layer.served ? kServed : 0) | (layer.installed ? kInstalled : 0) | (layer.sealed ? kSealed : 0));
    write_number(bytes, static_cast<std::uint32_t>(layer.records.size()));
    for (std::size_t i = 0; i < layer.records.size(); ++i) {
      const bool kept = i < layer.kept.size() && layer.kept[i];
      write_number(bytes, static_cast<std::uint32_t>(layer.records[i].size()) | (kept ? kKept : 0));
    }
  }
  for (const NewLayer& layer : layers) {
    for (const auto& record : layer.records) bytes += as_chars(record);
  }
  bytes += sha256(bytes);
  return std::move(*parse(std::move(bytes)));
}

Result<DeltaRecords> DeltaRecords::parse(std::string bytes) {
  DeltaRecords records;
  records.bytes_.assign(bytes.begin(), bytes.end());
  const std::string_view all = records.bytes();
  if (all.size() < kHashSize || sha256(all.substr(0, all.size() - kHashSize)) != all.substr(all.size() - kHashSize)) {
    return fail("a set of delta records is cut off or changed");
  }
  auto layers = read_layers(Reader(all.substr(0, all.size() - kHashSize)));
  if (!layers) return fail("a set of delta records has another format");
  records.layers_ = std::move(*layers);
  return records;
}

}  // namespace mv::cloud
