// SHA-256 over ranges of the application's memory, a piece at a time so that the link does not wait for a megabyte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <psa/crypto.h>

#include "core/platform/debug_unit.h"
#include "wire/proto/agent.nanopb.h"

namespace mv::debug {

class DigestJob {
 public:
  static constexpr std::uint32_t kBytesPerStep = 16 * 1024;

  enum class State : std::uint8_t { kIdle, kBusy, kDone, kBadAddress, kFailed };

  ~DigestJob() { cancel(); }

  void start(const mv_wire_DigestRequest& request);
  void cancel();

  // Does one piece while kBusy.
  State step(ApplicationMemory& memory);
  State state() const { return state_; }

  // Once kDone.
  const mv_wire_DigestReply& result() const { return result_; }

 private:
  State step_range(ApplicationMemory& memory);
  bool hash_piece(ApplicationMemory& memory, std::uint32_t end);
  State fail(State state);

  State state_ = State::kIdle;
  mv_wire_DigestRequest request_{};
  mv_wire_DigestReply result_{};
  std::uint32_t offset_ = 0;  // within the range that is being hashed
  psa_hash_operation_t operation_ = PSA_HASH_OPERATION_INIT;
};

}  // namespace mv::debug
