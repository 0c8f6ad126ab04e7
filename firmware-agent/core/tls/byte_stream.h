// A two-way stream of bytes that never blocks: what TLS runs on, and what it offers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace mv {

class ByteStream {
 public:
  virtual std::size_t read(std::span<std::uint8_t> out) = 0;           // bytes taken; 0: none there now
  virtual std::size_t write(std::span<const std::uint8_t> bytes) = 0;  // bytes accepted, maybe fewer than given

  // True once no byte will ever come again: what was received before has been read.
  virtual bool ended() const = 0;

 protected:
  ~ByteStream() = default;
};

}  // namespace mv
