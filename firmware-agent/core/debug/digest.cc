#include "core/debug/digest.h"

#include <algorithm>
#include <array>

namespace mv::debug {

void DigestJob::start(const mv_wire_DigestRequest& request) {
  cancel();
  request_ = request;
  result_ = mv_wire_DigestReply_init_zero;
  offset_ = 0;
  state_ = State::kBusy;
}

void DigestJob::cancel() {
  psa_hash_abort(&operation_);
  state_ = State::kIdle;
}

DigestJob::State DigestJob::step(ApplicationMemory& memory) {
  if (state_ != State::kBusy) return state_;
  if (result_.sha256_count == request_.ranges_count) return state_ = State::kDone;
  return step_range(memory);
}

DigestJob::State DigestJob::step_range(ApplicationMemory& memory) {
  const mv_wire_ReadRange& range = request_.ranges[result_.sha256_count];
  if (offset_ == 0 && psa_hash_setup(&operation_, PSA_ALG_SHA_256) != PSA_SUCCESS) return fail(State::kFailed);
  const std::uint32_t end = offset_ + std::min(range.length - offset_, kBytesPerStep);
  while (offset_ < end) {
    if (!hash_piece(memory, end)) return fail(State::kBadAddress);
  }
  if (offset_ < range.length) return state_;
  auto& digest = result_.sha256[result_.sha256_count];
  std::size_t size = 0;
  if (psa_hash_finish(&operation_, digest.bytes, sizeof(digest.bytes), &size) != PSA_SUCCESS)
    return fail(State::kFailed);
  digest.size = static_cast<pb_size_t>(size);
  ++result_.sha256_count;
  offset_ = 0;
  return state_;
}

bool DigestJob::hash_piece(ApplicationMemory& memory, std::uint32_t end) {
  const std::uint32_t start = request_.ranges[result_.sha256_count].address;
  std::array<std::uint8_t, 256> piece;
  const auto bytes = std::span(piece).first(std::min<std::size_t>(piece.size(), end - offset_));
  if (!memory.read(start + offset_, bytes)) return false;
  if (psa_hash_update(&operation_, bytes.data(), bytes.size()) != PSA_SUCCESS) return false;
  offset_ += static_cast<std::uint32_t>(bytes.size());
  return true;
}

DigestJob::State DigestJob::fail(State state) {
  psa_hash_abort(&operation_);
  return state_ = state;
}

}  // namespace mv::debug
