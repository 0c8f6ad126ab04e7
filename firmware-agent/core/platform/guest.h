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
  virtual bool readable(std::uint32_t address, std::uint32_t size) = 0;
  virtual bool writable(std::uint32_t address, std::uint32_t size) = 0;

  // Writes to where a system call once found memory writable, at a time when nobody calls: not as the caller might.
  virtual bool deliver(std::uint32_t to, std::span<const std::uint8_t> from) = 0;

 protected:
  ~GuestMemory() = default;
};

struct ClockRates {
  std::uint32_t sysclk, hclk, pclk1, pclk2;  // Hz
};

// A register of the Secure side that the application may reach by mvPeriphPeek32 and mvPeriphPoke32.
struct RegisterAccess {
  std::uint32_t address;   // by which the application knows it: that of the Non-secure alias
  std::uint32_t readable;  // its bits, the others read as 0
  std::uint32_t writable;  // likewise, the others stay as they are
};

// Ways to save more power than waiting for an interrupt does.
enum class PowerDown : std::uint8_t { kStop0, kStop1, kStop2, kStop3, kStandby, kShutdown };

class GuestBoard {
 public:
  // True if `irq` (external interrupt number) exists and targets the Non-secure side.
  virtual bool owns_interrupt(std::uint32_t irq) = 0;
  virtual void pend_interrupt(std::uint32_t irq) = 0;

  // Of one that the application owns.
  virtual bool interrupt_enabled(std::uint32_t irq) = 0;
  virtual void enable_interrupt(std::uint32_t irq, bool enabled) = 0;
  // Takes it out of the least urgent priority, whose interrupts wait while the Secure thread runs.
  virtual void hasten_interrupt(std::uint32_t irq) = 0;
  virtual std::uint32_t vector_table() = 0;  // its address, as the application set it

  // True if the system call was made from an exception handler of the application.
  virtual bool in_interrupt() = 0;

  virtual ClockRates clock_rates() = 0;
  virtual void set_system_led(bool on) = 0;

  // Returns when an interrupt is pending, of whichever side; also if the application masks its interrupts.
  virtual void wait_for_interrupt() = 0;

  // False if the board cannot, or not now; else it returns when something woke the chip up, or never.
  virtual bool power_down(PowerDown mode) = 0;

  virtual std::span<const RegisterAccess> shared_registers() = 0;
  virtual std::uint32_t read_register(std::uint32_t address) = 0;  // one of those
  virtual void write_register(std::uint32_t address, std::uint32_t value) = 0;

  // False if the console takes no character now.
  virtual bool put_console(char character) = 0;

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
