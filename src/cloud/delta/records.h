// What an update from one bundle to another sends over the air: the records (docs/delta-format.md) of all segments.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/text.h"

namespace mv::cloud {

// Manifests by their SHA-256, 32 bytes each. `from` is what the device has installed; empty: nothing that helps.
struct DeltaPair {
  std::string from;
  std::string to;
  friend auto operator<=>(const DeltaPair&, const DeltaPair&) = default;
};

// Exists only if the bytes are whole. Immutable: any thread may read it.
class DeltaRecords {
 public:
  struct Layer {
    std::uint32_t content_size = 0;         // bytes
    bool served = true;                     // false: encrypted otherwise than by us, or cut into other segments
    bool installed = false;                 // a device that runs `from` has the whole region, so it asks for none of it
    bool sealed = false;                    // encrypted: its records are the segments as they are sealed
    std::vector<std::string_view> records;  // one a segment, into the set's bytes; none unless served
    std::vector<bool> kept;  // of each record: a device that runs `from` has its segment, and does not ask

    std::uint64_t record_bytes() const;  // of those that are asked for
  };

  // One layer on its way into a set.
  struct NewLayer {
    std::uint32_t content_size = 0;
    bool served = true;
    bool installed = false;
    std::vector<std::vector<std::uint8_t>> records;
    bool sealed = false;
    std::vector<bool> kept = {};  // shorter than `records`: the rest is not
  };
  static DeltaRecords make(const std::vector<NewLayer>& layers);

  // The bytes of a set, as `bytes` gave them. Errors: a sentence; the bytes are cut off or changed.
  static Result<DeltaRecords> parse(std::string bytes);

  DeltaRecords(DeltaRecords&&) noexcept = default;
  DeltaRecords& operator=(DeltaRecords&&) noexcept = default;

  const std::vector<Layer>& layers() const { return layers_; }
  // What a device that runs `from` receives for all layers, without the messages around it.
  std::uint64_t bytes_to_receive() const;
  // For a file: ends with its own SHA-256.
  std::string_view bytes() const { return {bytes_.data(), bytes_.size()}; }

 private:
  DeltaRecords() = default;

  std::vector<char> bytes_;  // no string: moving one may move its characters, which `layers_` points to
  std::vector<Layer> layers_;
};

}  // namespace mv::cloud
