// Random bytes on a board without a source of randomness: HMAC_DRBG with SHA-256 (NIST SP 800-90A, 10.1.2), seeded from
// a seed kept in flash.
//
// Each boot takes the newest seed, mixes in the device's identity (which holds its private key), and stores a new seed
// before it gives out a single byte, so no two boots give the same bytes. A device whose seed area is blank starts from
// its identity; one that has no identity either gives none.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "core/platform/ports.h"

namespace mv::board {

class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(Flash& flash) : flash_(flash) {}

  // Once per boot. False if there is nothing to seed from, or the new seed cannot be stored.
  bool set_up();

  bool fill(std::span<std::uint8_t> out) override;

 private:
  using Block = std::array<std::uint8_t, 32>;

  struct Record {  // in flash: four quad-words
    std::uint32_t magic, sequence, unused[2];
    Block seed;
    std::array<std::uint8_t, 16> check;  // the beginning of the SHA-256 of what is before it
  };
  static_assert(sizeof(Record) == 64);

  struct Newest {
    Record record;
    std::uint32_t offset;
  };

  std::optional<Newest> newest();
  std::optional<Record> read_record(std::uint32_t offset);
  bool store(std::uint32_t sequence, const Block& seed, std::optional<std::uint32_t> after);
  bool mix_identity();
  void update(std::span<const std::uint8_t> data);
  void generate(std::span<std::uint8_t> out);

  Flash& flash_;
  Block key_{}, value_{};
  bool ready_ = false;
};

}  // namespace mv::board
