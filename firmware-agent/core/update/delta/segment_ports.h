// What the segment decoder asks of the update engine: the old image to read, a place for the new one.
#pragma once

#include <cstdint>
#include <span>

namespace mv::update::delta {

// The old areas, one after the other, as one image. Memory-mapped flash on a device.
class OldImage {
 public:
  virtual std::uint32_t size() const = 0;  // bytes

  // Bytes [offset, offset + out.size()), which are inside the image. False if the flash refuses.
  virtual bool read(std::uint32_t offset, std::span<std::uint8_t> out) = 0;

 protected:
  ~OldImage() = default;
};

// Takes the segment's bytes in order, in pieces; never more than the segment has. False if it cannot.
class SegmentSink {
 public:
  virtual bool write(std::span<const std::uint8_t> bytes) = 0;

 protected:
  ~SegmentSink() = default;
};

}  // namespace mv::update::delta
