// The Non-secure side as system calls see it: its memory, its interrupts, and the lock against both worlds.
#pragma once

#include <cstdint>
#include <span>

#include "arch/cortex-m33/memory_probe.h"
#include "core/app/guest_calls.h"
#include "core/platform/guest.h"

namespace mv::arch {

// Memory of the application, by region and by attribution (TT), with the rights that its MPU gives the caller.
class CheckedMemory final : public GuestMemory {
 public:
  explicit CheckedMemory(const ApplicationRegions& regions) : regions_(regions) {}

  bool copy_in(std::span<std::uint8_t> to, std::uint32_t from) override;
  bool copy_out(std::uint32_t to, std::span<const std::uint8_t> from) override;
  bool readable(std::uint32_t address, std::uint32_t size) override;
  bool writable(std::uint32_t address, std::uint32_t size) override;
  bool deliver(std::uint32_t to, std::span<const std::uint8_t> from) override;

 private:
  bool in_ram(std::uint32_t address, std::size_t size) const;

  ApplicationRegions regions_;
};

// What differs from board to board.
struct GuestTraits {
  ClockRates rates;
  std::uint32_t interrupts;  // external ones, 0 to interrupts - 1
  void (*set_system_led)(bool on);
  bool (*put_console)(char character);  // false: no room now
  std::span<const RegisterAccess> shared_registers{};
  bool (*power_down)(PowerDown mode) = nullptr;  // null: it cannot
};

class NvicGuest final : public GuestBoard {
 public:
  explicit NvicGuest(const GuestTraits& traits) : traits_(traits) {}

  bool owns_interrupt(std::uint32_t irq) override;
  void pend_interrupt(std::uint32_t irq) override;
  bool in_interrupt() override;
  ClockRates clock_rates() override { return traits_.rates; }
  void set_system_led(bool on) override { traits_.set_system_led(on); }
  void wake_secure_thread() override;
  bool interrupt_enabled(std::uint32_t irq) override;
  void enable_interrupt(std::uint32_t irq, bool enabled) override;
  void hasten_interrupt(std::uint32_t irq) override;
  std::uint32_t vector_table() override;
  void wait_for_interrupt() override;
  bool power_down(PowerDown mode) override { return traits_.power_down != nullptr && traits_.power_down(mode); }
  std::span<const RegisterAccess> shared_registers() override { return traits_.shared_registers; }
  std::uint32_t read_register(std::uint32_t address) override;
  void write_register(std::uint32_t address, std::uint32_t value) override;
  bool put_console(char character) override { return traits_.put_console(character); }

 private:
  GuestTraits traits_;
};

// Keeps PendSV_S and everything below it out, so neither world is switched to; the link and the tick go on.
class SwitchLock final : public Lock {
 public:
  std::uint32_t acquire() override;
  void release(std::uint32_t before) override;
};

// Whom the veneers call. Before any application is started.
void set_system_calls(app::GuestCalls& calls);

}  // namespace mv::arch
