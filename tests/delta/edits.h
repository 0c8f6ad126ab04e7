// Images that look like programs, and edits as they happen to them. Everything from a seed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace mv::delta::rig {

class Edits {
 public:
  explicit Edits(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_); }

  // Half-words out of a small vocabulary, with addresses and noise among them.
  std::vector<std::uint8_t> program(std::size_t size) {
    std::vector<std::uint8_t> bytes;
    while (bytes.size() < size) {
      const std::size_t word = below(10) < 7 ? below(200) * 0x0101 : below(65536);
      bytes.push_back(static_cast<std::uint8_t>(word));
      bytes.push_back(static_cast<std::uint8_t>(word >> 8));
    }
    bytes.resize(size);
    return bytes;
  }

  std::vector<std::uint8_t> noise(std::size_t size) {
    std::vector<std::uint8_t> bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random_());
    return bytes;
  }

  // Inserts, deletes, moves or replaces a few bytes or many.
  void edit(std::vector<std::uint8_t>& image) {
    const std::size_t at = below(image.size() + 1);
    const std::size_t size = std::min(image.size() - at, below(4) == 0 ? below(20000) : below(64));
    const auto from = image.begin() + static_cast<std::ptrdiff_t>(at), to = from + static_cast<std::ptrdiff_t>(size);
    switch (below(5)) {
      case 0: {
        const auto more = program(size + below(300));
        image.insert(from, more.begin(), more.end());
        break;
      }
      case 1:
        image.erase(from, to);
        break;
      case 2:
        std::rotate(from, to, image.end());
        break;
      case 3:
        std::generate(from, to, [&] { return static_cast<std::uint8_t>(random_()); });
        break;
      default:  // relocation: an address here and there is something more
        for (auto byte = from; byte < to; ++byte) {
          if (below(30) == 0) *byte = static_cast<std::uint8_t>(*byte + 0x50);
        }
    }
  }

 private:
  std::mt19937 random_;
};

}  // namespace mv::delta::rig
