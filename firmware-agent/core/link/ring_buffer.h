// A queue of bytes of fixed size.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace mv::link {

template <std::size_t kCapacity>
class RingBuffer {
 public:
  std::size_t size() const { return size_; }
  std::size_t room() const { return kCapacity - size_; }
  void clear() { size_ = 0; }

  // Bytes accepted.
  std::size_t push(std::span<const std::uint8_t> bytes) {
    const std::size_t count = std::min(bytes.size(), room());
    for (std::size_t i = 0; i < count; ++i) bytes_[(begin_ + size_ + i) % kCapacity] = bytes[i];
    size_ += count;
    return count;
  }

  // Bytes taken.
  std::size_t pop(std::span<std::uint8_t> out) {
    const std::size_t count = std::min(out.size(), size_);
    for (std::size_t i = 0; i < count; ++i) out[i] = bytes_[(begin_ + i) % kCapacity];
    begin_ = (begin_ + count) % kCapacity;
    size_ -= count;
    return count;
  }

 private:
  std::array<std::uint8_t, kCapacity> bytes_{};
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
};

}  // namespace mv::link
