#include "core/app/fast_interrupts.h"

#include "core/app/guest_words.h"

namespace mv::app {
namespace {

constexpr std::uint32_t kFirstVector = 16;  // of the external interrupts, in words from the start of the table

}  // namespace

bool FastInterrupts::vector_is_good(std::uint32_t irq) {
  Words<1> handler;
  if (!copy_words(memory_, board_.vector_table() + 4 * (kFirstVector + irq), handler)) return false;
  return (handler[0] & 1U) != 0 && memory_.readable(handler[0] & ~1U, 2);
}

MvStatus FastInterrupts::set(std::uint32_t irq) {
  const LockGuard guard(lock_);
  if (irq >= Set::kLimit || !board_.owns_interrupt(irq)) return MV_STATUS_INVALIDINTERRUPT;
  if (!vector_is_good(irq)) return MV_STATUS_INVALIDVECTOR;
  fast_.put(irq);
  board_.hasten_interrupt(irq);
  return MV_STATUS_OKAY;
}

MvStatus FastInterrupts::clear(std::uint32_t irq) {
  const LockGuard guard(lock_);
  if (!fast_.has(irq)) return MV_STATUS_INVALIDINTERRUPT;
  if (held_.has(irq)) board_.enable_interrupt(irq, true);
  held_.take(irq);
  fast_.take(irq);
  return MV_STATUS_OKAY;
}

MvStatus FastInterrupts::enable(std::uint32_t irq) {
  const LockGuard guard(lock_);
  if (!fast_.has(irq)) return MV_STATUS_INVALIDINTERRUPT;
  if (all_off_) {
    held_.put(irq);
  } else {
    board_.enable_interrupt(irq, true);
  }
  return MV_STATUS_OKAY;
}

MvStatus FastInterrupts::disable(std::uint32_t irq) {
  const LockGuard guard(lock_);
  if (!fast_.has(irq)) return MV_STATUS_INVALIDINTERRUPT;
  held_.take(irq);
  board_.enable_interrupt(irq, false);
  return MV_STATUS_OKAY;
}

void FastInterrupts::disable_all() {
  const LockGuard guard(lock_);
  all_off_ = true;
  for (std::uint32_t irq = 0; irq < Set::kLimit; ++irq) {
    if (!fast_.has(irq) || !board_.interrupt_enabled(irq)) continue;
    held_.put(irq);
    board_.enable_interrupt(irq, false);
  }
}

void FastInterrupts::enable_all() {
  const LockGuard guard(lock_);
  all_off_ = false;
  for (std::uint32_t irq = 0; irq < Set::kLimit; ++irq) {
    if (held_.has(irq)) board_.enable_interrupt(irq, true);
  }
  held_ = {};
}

void FastInterrupts::reset() {
  const LockGuard guard(lock_);
  fast_ = {};
  held_ = {};
  all_off_ = false;
}

}  // namespace mv::app
