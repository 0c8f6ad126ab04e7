// Where flash that was read over the link is kept over sessions, by the image that it is of.
#pragma once

#include <cstdint>
#include <span>

#include "gdbserver/target/flash_content.h"

namespace mv::gdb {

class FlashStore {
 public:
  virtual ~FlashStore() = default;

  // What is known of the image; empty if nothing is. `image` is the SHA-256 of its manifest.
  virtual FlashContent load(std::span<const std::uint8_t> image) = 0;

  // Adds to it. What cannot be kept is read again another time, so there are no errors.
  virtual void save(std::span<const std::uint8_t> image, const FlashContent& content) = 0;
};

}  // namespace mv::gdb
