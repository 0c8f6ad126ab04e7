// SHA-256 of what bundles are made of.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mv::bundle {

using Bytes = std::span<const std::uint8_t>;

struct Hash {
  std::array<std::uint8_t, 32> bytes{};
  friend bool operator==(const Hash&, const Hash&) = default;
  friend auto operator<=>(const Hash&, const Hash&) = default;
};

// Takes content piece by piece.
class Hasher {
 public:
  Hasher();
  void add(Bytes bytes);
  void add_padding(std::uint64_t count);  // as many bytes 0xFF: erased flash
  Hash finish();                          // once

 private:
  struct Deleter {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, Deleter> context_;
};

Hash sha256(Bytes bytes);

// Lower-case hexadecimal.
std::string hex(Bytes bytes);
inline std::string hex(const Hash& hash) { return hex(hash.bytes); }

// Exactly 64 lower-case hexadecimal digits: the name of a layer's entry.
std::optional<Hash> parse_hash(std::string_view text);

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace mv::bundle
