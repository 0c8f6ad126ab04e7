// What the system calls ask of a board: the application's memory, its interrupts, and a few facts about the chip.
//
// A system call runs in the Non-secure world's context and may be made from an interrupt of the application, also in
// the middle of other Secure code. Everything that both it and the Secure thread touch is held under `Lock`.
#pragma once

#include <cstdint>
#include <span>

namespace mv {

// The application's memory as the caller of a system call may use it: its flash (read only) and its RAM, nothing else.
// Each function checks the whole range first and touches nothing if it is refused.
class GuestMemory {
 public:
  virtual bool copy_in(std::span<std::uint8_t> to, std::uint32_t from) = 0;
  virtual bool copy_out(std::uint32_t to, std::span<const std::uint8_t> from) = 0;
  virtual bool writable(std::uint32_t address, std::uint32_t size) = 0;

  // Writes to where a system call once found memory writable, at a time when nobody calls: not as the caller might.
  virtual bool deliver(std::uint32_t to, std::span<const std::uint8_t> from) = 0;

 protected:
  ~GuestMemory() = default;
};

struct ClockRates {
  std::uint32_t sysclk, hclk, pclk1, pclk2;  // Hz
};

class GuestBoard {
 public:
  // True if `irq` (external interrupt number) exists and targets the Non-secure side.
  virtual bool owns_interrupt(std::uint32_t irq) = 0;
  virtual void pend_interrupt(std::uint32_t irq) = 0;

  // True if the system call was made from an exception handler of the application.
  virtual bool in_interrupt() = 0;

  virtual ClockRates clock_rates() = 0;
  virtual void set_system_led(bool on) = 0;

  // Makes Waiter::wait_until return.
  virtual void wake_secure_thread() = 0;

 protected:
  ~GuestBoard() = default;
};

// Keeps everyone else out for a few microseconds: the other world, its interrupts, the agent. May be nested.
class Lock {
 public:
  virtual std::uint32_t acquire() = 0;  // returns what `release` wants back
  virtual void release(std::uint32_t before) = 0;

 protected:
  ~Lock() = default;
};

class LockGuard {
 public:
  explicit LockGuard(Lock& lock) : lock_(lock), before_(lock.acquire()) {}
  ~LockGuard() { lock_.release(before_); }
  LockGuard(const LockGuard&) = delete;
  LockGuard& operator=(const LockGuard&) = delete;

 private:
  Lock& lock_;
  std::uint32_t before_;
};

}  // namespace mv
