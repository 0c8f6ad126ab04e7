// Blocks kept in flash that anybody can read and write, as memory outside the chip: encrypted and authenticated.
//
// Each block is AES-128-GCM under the key of one update, with a random nonce of its own; its place, its size, the area
// and the update are authenticated with it (NIST SP 800-38D). So what was changed, moved, or belongs to another update
// does not open, and what no key is left for cannot be read. A block counts once its record is in the index, which is
// written last; the index lies on the chip or not, it holds nothing secret.
//
// Secure thread only. No heap of its own; the crypto library takes about 1 KiB of its pool while a block is open.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include <psa/crypto.h>

#include "core/platform/flash_map.h"
#include "core/platform/ports.h"
#include "core/storage/record_store.h"
#include "core/update/delta/segment_ports.h"
#include "core/update/page_writer.h"
#include "core/update/sha256.h"

namespace mv::update {

// What the blocks of one update are sealed with. Kept on the chip.
struct UpdateKey {
  std::uint32_t number = 0;  // of the update: rises with each
  std::array<std::uint8_t, 16> bytes{};
};

class SealedArea final : public delta::SegmentSink {
 public:
  static constexpr std::uint8_t kBlocks = 48;

  struct Place {
    std::uint8_t block;    // 0 to kBlocks - 1
    std::uint32_t offset;  // in the area, a multiple of a page; the same for whoever writes and reads it
    std::uint32_t size;    // bytes
  };

  SealedArea(Flash& flash, flash_map::Area area, flash_map::Area index);
  ~SealedArea() { forget(); }

  // Once, before anything else.
  void mount() { index_.mount(); }

  // From now on blocks are those of this update; `forget`: there are none. False if the library has no room for a key.
  bool use(const UpdateKey& key);
  void forget();

  bool holds(std::uint8_t block);

  // Writing: begin, the bytes in pieces, finish. False: the flash refused, or not as many bytes as `place` says; then
  // the block is as before if nothing was written, else not there.
  bool begin(const Place& place);
  bool write(std::span<const std::uint8_t> bytes) override;
  bool finish();

  // Gives the bytes to `out` in pieces of 256, the last one shorter. They come before it is known that they are true,
  // so what is made of them has to be judged by the result: false if they are not, the block is not there, the flash
  // refuses, or `out` does.
  bool read(const Place& place, delta::SegmentSink& out);

  // The block is not there any more. False if the flash refused.
  bool drop(std::uint8_t block);

 private:
  struct Seal {
    std::array<std::uint8_t, 12> nonce;
    std::array<std::uint8_t, 16> tag;
  };

  bool set_up(psa_aead_operation_t& operation, bool encrypt, const Place& place, const Seal& seal);
  std::optional<Seal> seal_of(std::uint8_t block);
  void close();

  Flash& flash_;
  flash_map::Area area_;
  storage::RecordsOf<kBlocks> index_;
  PageWriter writer_;
  psa_key_id_t key_ = PSA_KEY_ID_NULL;
  std::uint32_t number_ = 0;

  // Of the block that is being written.
  psa_aead_operation_t writing_ = PSA_AEAD_OPERATION_INIT;
  Place place_{};
  Seal seal_{};
  std::uint32_t left_ = 0;
};

}  // namespace mv::update
