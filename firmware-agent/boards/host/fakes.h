// What a board offers, for tests: a clock that is moved by hand, memory of an application, a lock that notices misuse.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/platform/guest.h"
#include "core/platform/ports.h"

namespace mv::host {

class FakeClock final : public Clock {
 public:
  std::uint64_t uptime_us() override { return now_us; }
  void advance_ms(std::uint64_t milliseconds) { now_us += milliseconds * 1000; }

  std::uint64_t now_us = 1'000'000;
};

// Bytes that look random and are the same in every run.
class FakeEntropy final : public Entropy {
 public:
  bool fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>((state_ = state_ * 1664525U + 1013904223U) >> 24U);
    return true;
  }

 private:
  std::uint32_t state_ = 1;
};

// Throws if it is released in another order than it was acquired in.
class FakeLock final : public Lock {
 public:
  std::uint32_t acquire() override { return depth_++; }
  void release(std::uint32_t before) override {
    if (--depth_ != before) throw std::logic_error("lock released out of order");
  }

 private:
  std::uint32_t depth_ = 0;
};

// One piece of RAM of the application's; everything else is refused.
class FakeGuestMemory final : public GuestMemory {
 public:
  FakeGuestMemory(std::uint32_t start, std::uint32_t size) : start_(start), bytes_(size) {}

  bool copy_in(std::span<std::uint8_t> to, std::uint32_t from) override {
    if (!inside(from, to.size())) return false;
    if (!to.empty()) std::memcpy(to.data(), bytes_.data() + (from - start_), to.size());
    return true;
  }

  bool copy_out(std::uint32_t to, std::span<const std::uint8_t> from) override {
    if (!inside(to, from.size())) return false;
    if (!from.empty()) std::memcpy(bytes_.data() + (to - start_), from.data(), from.size());
    return true;
  }

  bool deliver(std::uint32_t to, std::span<const std::uint8_t> from) override { return copy_out(to, from); }
  bool readable(std::uint32_t address, std::uint32_t size) override { return inside(address, size); }
  bool writable(std::uint32_t address, std::uint32_t size) override { return inside(address, size); }

  std::uint8_t* at(std::uint32_t address, std::size_t size) {
    if (!inside(address, size)) throw std::out_of_range("not in the application's memory");
    return bytes_.data() + (address - start_);
  }

  template <typename T>
  T read(std::uint32_t address) {
    T value;
    std::memcpy(&value, at(address, sizeof value), sizeof value);
    return value;
  }

 private:
  bool inside(std::uint32_t address, std::size_t size) const {
    if (size == 0) return true;
    return address >= start_ && size <= bytes_.size() && address - start_ <= bytes_.size() - size;
  }

  std::uint32_t start_;
  std::vector<std::uint8_t> bytes_;
};

class FakeGuestBoard final : public GuestBoard {
 public:
  bool owns_interrupt(std::uint32_t irq) override { return irq < 92; }
  void pend_interrupt(std::uint32_t irq) override { pended.push_back(irq); }
  bool in_interrupt() override { return interrupt; }
  ClockRates clock_rates() override { return {20'000'000, 20'000'000, 10'000'000, 5'000'000}; }
  void set_system_led(bool on) override { led = on; }
  void wake_secure_thread() override { ++wakes; }
  bool interrupt_enabled(std::uint32_t irq) override { return enabled.contains(irq); }
  void enable_interrupt(std::uint32_t irq, bool on) override {
    on ? (void)enabled.insert(irq) : (void)enabled.erase(irq);
  }
  void hasten_interrupt(std::uint32_t irq) override { hastened.push_back(irq); }
  std::uint32_t vector_table() override { return vectors; }
  void wait_for_interrupt() override { ++waits; }
  bool power_down(PowerDown mode) override {
    if (can_power_down) powered_down.push_back(mode);
    return can_power_down;
  }
  std::span<const RegisterAccess> shared_registers() override { return registers; }
  std::uint32_t read_register(std::uint32_t address) override { return values[address]; }
  void write_register(std::uint32_t address, std::uint32_t value) override { values[address] = value; }
  bool put_console(char character) override {
    if (console_room == 0) return false;
    --console_room;
    console += character;
    return true;
  }

  std::set<std::uint32_t> enabled;
  std::vector<std::uint32_t> hastened;
  std::uint32_t vectors = 0;
  int waits = 0;
  bool can_power_down = false;
  std::vector<PowerDown> powered_down;
  std::vector<RegisterAccess> registers;
  std::map<std::uint32_t, std::uint32_t> values;
  std::string console;
  std::size_t console_room = 1'000'000;
  std::vector<std::uint32_t> pended;
  bool interrupt = false;
  bool led = false;
  int wakes = 0;
};

}  // namespace mv::host
