// Fast interrupts: those that the application wants served also while the microvisor works.
//
// Every interrupt of the application pre-empts the Secure thread but those of its least urgent priority, so what makes
// one fast is that it is taken out of that. The application may switch all of them off and on again at once.
#pragma once

#include <array>
#include <cstdint>

#include "core/platform/guest.h"
#include "sdk/include/mv_syscalls.h"

namespace mv::app {

class FastInterrupts {
 public:
  FastInterrupts(GuestMemory& memory, GuestBoard& board, Lock& lock) : memory_(memory), board_(board), lock_(lock) {}

  // Each answers INVALIDINTERRUPT if `irq` is not the application's, and all but `set` if it is not a fast one. `set`
  // answers INVALIDVECTOR if its handler is not in memory of the application.
  MvStatus set(std::uint32_t irq);
  MvStatus clear(std::uint32_t irq);
  MvStatus enable(std::uint32_t irq);
  MvStatus disable(std::uint32_t irq);

  // What is enabled meanwhile takes effect with `enable_all`.
  void disable_all();
  void enable_all();

  bool contains(std::uint32_t irq) const { return fast_.has(irq); }
  void reset();

 private:
  class Set {
   public:
    static constexpr std::uint32_t kLimit = 160;

    bool has(std::uint32_t irq) const { return irq < kLimit && (words_[irq / 32] >> (irq % 32) & 1U) != 0; }
    void put(std::uint32_t irq) { words_[irq / 32] |= 1U << (irq % 32); }
    void take(std::uint32_t irq) { words_[irq / 32] &= ~(1U << (irq % 32)); }

   private:
    std::array<std::uint32_t, kLimit / 32> words_{};
  };

  bool vector_is_good(std::uint32_t irq);

  GuestMemory& memory_;
  GuestBoard& board_;
  Lock& lock_;
  Set fast_;
  Set held_;  // enabled, but all are off
  bool all_off_ = false;
};

}  // namespace mv::app
