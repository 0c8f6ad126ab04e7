#include "core/app/external_flash_calls.h"

#include <algorithm>
#include <array>

#include "core/app/guest_words.h"

namespace mv::app {
namespace {

constexpr std::uint32_t kInfoVersion = 1;

// A piece of `size` bytes is done.
void advance(Arguments arguments, std::uint32_t size) {
  arguments[1] += size;
  arguments[2] -= size;
  arguments[3] += size;
}

}  // namespace

MvStatus ExternalFlashCalls::open(std::uint32_t handle_out) {
  if (board_.in_interrupt()) return MV_STATUS_UNAVAILABLE;
  if (!memory_.writable(handle_out, 4)) return MV_STATUS_PARAMETERFAULT;
  const LockGuard guard(lock_);
  const Handle handle = handles_.open();
  if (handle == Handle::kNone) return MV_STATUS_TOOMANYCHANNELS;
  return put_word(memory_, handle_out, static_cast<std::uint32_t>(handle));
}

MvStatus ExternalFlashCalls::close(std::uint32_t handle_in_out) {
  if (board_.in_interrupt()) return MV_STATUS_UNAVAILABLE;
  Words<1> handle;
  if (!memory_.writable(handle_in_out, 4) || !copy_words(memory_, handle_in_out, handle)) {
    return MV_STATUS_PARAMETERFAULT;
  }
  const LockGuard guard(lock_);
  if (!handles_.close(static_cast<Handle>(handle[0]))) return MV_STATUS_INVALIDHANDLE;
  return put_word(memory_, handle_in_out, 0);
}

MvStatus ExternalFlashCalls::get_info(std::uint32_t handle, std::uint32_t info_in_out) {
  if (board_.in_interrupt()) return MV_STATUS_UNAVAILABLE;
  Words<4> info;
  if (!memory_.writable(info_in_out, sizeof info) || !copy_words(memory_, info_in_out, info)) {
    return MV_STATUS_PARAMETERFAULT;
  }
  const LockGuard guard(lock_);
  if (!handles_.contains(static_cast<Handle>(handle))) return MV_STATUS_INVALIDHANDLE;
  if (info[0] != kInfoVersion) return MV_STATUS_UNSUPPORTEDSTRUCTUREVERSION;
  return put_words<4>(memory_, info_in_out, {kInfoVersion, flash_.chip_id(), flash_.size(), handles_.count()});
}

// What the three have in common, in the order of the original's answers.
MvStatus ExternalFlashCalls::check(std::uint32_t handle, std::uint32_t address, std::uint32_t length,
                                   bool buffer_good) {
  if (board_.in_interrupt()) return MV_STATUS_UNAVAILABLE;
  if (!buffer_good) return MV_STATUS_PARAMETERFAULT;
  const LockGuard guard(lock_);
  if (!handles_.contains(static_cast<Handle>(handle))) return MV_STATUS_INVALIDHANDLE;
  if (length > flash_.size() || address > flash_.size() - length) return MV_STATUS_ADDRESSOUTOFRANGE;
  return MV_STATUS_OKAY;
}

// Begins `wanted` once the chip is free, and when it is asked again says what became of it. What another thread began
// is waited for, and left to that thread for a while, or both would begin theirs anew for ever; who lost the end of an
// operation does it again, which changes nothing.
template <typename Begin>
ExternalFlashCalls::Step ExternalFlashCalls::step(const Operation& wanted, Begin begin) {
  const LockGuard guard(lock_);
  const std::uint64_t now = clock_.uptime_us();
  if (flash_.busy()) {
    busy_until_us_ = now;
    return Step::kGoesOn;
  }
  if (begun_ == wanted) {
    begun_ = {};
    return flash_.failed() ? Step::kFailed : Step::kDone;
  }
  if (begun_.kind != Kind::kNone && now - busy_until_us_ < kUnclaimedUs) return Step::kGoesOn;
  if (!begin()) return Step::kFailed;
  begun_ = wanted;
  busy_until_us_ = now;
  return Step::kGoesOn;
}

Progress ExternalFlashCalls::read(Arguments arguments) {
  const auto [handle, address, length, buffer] = std::array{arguments[0], arguments[1], arguments[2], arguments[3]};
  const MvStatus status = check(handle, address, length, memory_.writable(buffer, length));
  if (status != MV_STATUS_OKAY || length == 0) return status;
  std::array<std::uint8_t, kPiece> bytes;
  const auto piece = std::span(bytes).first(std::min(length, kPiece));
  {
    const LockGuard guard(lock_);
    if (flash_.busy()) return kCallAgain;
    if (!flash_.read(address, piece)) return MV_STATUS_INTERNALERROR;
  }
  if (!memory_.copy_out(buffer, piece)) return MV_STATUS_PARAMETERFAULT;
  advance(arguments, static_cast<std::uint32_t>(piece.size()));
  return arguments[2] == 0 ? Progress(MV_STATUS_OKAY) : kCallAgain;
}

Progress ExternalFlashCalls::write(Arguments arguments) {
  const auto [handle, address, length, buffer] = std::array{arguments[0], arguments[1], arguments[2], arguments[3]};
  const MvStatus status = check(handle, address, length, memory_.readable(buffer, length));
  if (status != MV_STATUS_OKAY || length == 0) return status;
  std::array<std::uint8_t, kPiece> bytes;
  const std::uint32_t size = std::min(length, kPiece - address % kPiece);
  const auto begin = [&, at = address, from = buffer] {
    const auto piece = std::span(bytes).first(size);
    return memory_.copy_in(piece, from) && flash_.begin_program(at, piece);
  };
  const Step outcome = step({Kind::kProgram, address, size}, begin);
  if (outcome == Step::kFailed) return MV_STATUS_INTERNALERROR;
  if (outcome == Step::kDone) advance(arguments, size);
  return arguments[2] == 0 ? Progress(MV_STATUS_OKAY) : kCallAgain;
}

Progress ExternalFlashCalls::erase(Arguments arguments) {
  const auto [handle, address, length, unused] = std::array{arguments[0], arguments[1], arguments[2], arguments[3]};
  const MvStatus status = check(handle, address, length, true);
  if (status != MV_STATUS_OKAY) return status;
  if (address % ExternalFlash::kSector != 0 || length % ExternalFlash::kSector != 0) {
    return MV_STATUS_INVALIDBUFFERALIGNMENT;
  }
  if (length == 0) return MV_STATUS_OKAY;
  const Operation sector = {Kind::kErase, address, ExternalFlash::kSector};
  const Step outcome = step(sector, [this, at = address] { return flash_.begin_erase(at); });
  if (outcome == Step::kFailed) return MV_STATUS_INTERNALERROR;
  if (outcome == Step::kDone) advance(arguments, sector.size);
  return arguments[2] == 0 ? Progress(MV_STATUS_OKAY) : kCallAgain;
}

// What goes on in the chip goes on; nobody waits for it any more.
void ExternalFlashCalls::reset() {
  const LockGuard guard(lock_);
  handles_.reset();
  begun_ = {};
}

}  // namespace mv::app
