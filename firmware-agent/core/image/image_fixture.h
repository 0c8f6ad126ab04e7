// What tests of microvisor images share: images made on the spot, and cryptography that is quick and easily forged, so
// that thousands of power cuts are about flash.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "core/image/choice.h"
#include "core/storage/crc32.h"
#include "core/storage/little_endian.h"

namespace mv::image::fixture {

using Bytes = std::vector<std::uint8_t>;

inline constexpr Target kTarget = {"mps2-an505", 0x10010000, 0x40000};

// A "digest" is four bytes of CRC-32 and zeros; its "signature" is the digest twice.
class FakeCrypto final : public Crypto {
 public:
  void begin() override { crc_ = 0; }
  void add(std::span<const std::uint8_t> bytes) override { crc_ = storage::crc32(bytes, crc_); }
  bool finish(Digest& out) override {
    out = {};
    storage::store_u32(std::span(out).first<4>(), crc_);
    return true;
  }
  bool verify(const Digest& digest, std::span<const std::uint8_t, 64> signature) override {
    return std::equal(digest.begin(), digest.end(), signature.begin()) &&
           std::equal(digest.begin(), digest.end(), signature.begin() + 32);
  }

 private:
  std::uint32_t crc_ = 0;
};

inline Digest fake_digest(std::span<const std::uint8_t> bytes) {
  FakeCrypto crypto;
  Digest digest;
  crypto.begin();
  crypto.add(bytes);
  crypto.finish(digest);
  return digest;
}

inline void sign(Header& header) {
  const Digest digest = fake_digest({reinterpret_cast<const std::uint8_t*>(&header), kSignedHeaderSize});
  std::ranges::copy(digest, header.signature.begin());
  std::ranges::copy(digest, header.signature.begin() + 32);
}

inline Header header_for(const Bytes& content, std::uint32_t version) {
  Header header{};
  header.magic = kMagic;
  header.header_version = kHeaderVersion;
  header.length = static_cast<std::uint32_t>(content.size());
  header.load_address = kTarget.load_address;
  header.version = version;
  std::strncpy(header.board.data(), kTarget.board, header.board.size());
  header.sha256 = fake_digest(content);
  return header;
}

inline Bytes file_of(const Header& header, const Bytes& content) {
  Bytes file(sizeof header + content.size());
  std::memcpy(file.data(), &header, sizeof header);
  std::ranges::copy(content, file.begin() + sizeof header);
  return file;
}

// The file of a good image.
inline Bytes make_image(std::uint32_t version, std::size_t size = 20'000) {
  Bytes content(size);
  std::uint32_t state = version;
  for (std::uint8_t& byte : content) byte = static_cast<std::uint8_t>((state = state * 1664525U + 1013904223U) >> 24U);
  Header header = header_for(content, version);
  sign(header);
  return file_of(header, content);
}

// Keeps what it is told, one line each.
class NotedLog final : public ChoiceLog {
 public:
  void passed_over(Slot slot, std::string_view why) override {
    text += std::string(name_of(slot)) + ": " + std::string(why) + "\n";
  }
  std::string text;
};

inline constexpr std::uint32_t kFlashSize = 0x910000;

}  // namespace mv::image::fixture
