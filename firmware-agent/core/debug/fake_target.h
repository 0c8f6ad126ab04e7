// For tests: a halted-or-running application without a processor. Memory is two arrays; code runs on a small
// interpreter of the instructions that the tests use, and stops in the engine as a board would.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <vector>

#include "core/platform/debug_unit.h"

namespace mv::debug::test {

inline constexpr std::uint32_t kCode = 0x00100000;
inline constexpr std::uint32_t kRam = 0x28200000;
inline constexpr std::uint32_t kSize = 0x4000;
inline constexpr std::uint32_t kThumb = 1U << 24;  // xPSR.T

class FakeMemory final : public ApplicationMemory {
 public:
  bool read(std::uint32_t address, std::span<std::uint8_t> out) override;
  bool write(std::uint32_t address, std::span<const std::uint8_t> bytes) override;
  bool patch_code(std::uint32_t address, std::span<const std::uint8_t> bytes) override;
  bool is_code(std::uint32_t address) const override;

  // Puts code at `address`, a halfword at a time.
  void put(std::uint32_t address, std::initializer_list<std::uint16_t> halfwords);
  void put_word(std::uint32_t address, std::uint32_t word);
  std::uint32_t word(std::uint32_t address);
  std::uint16_t halfword(std::uint32_t address);

  std::uint32_t reads = 0;  // calls of `read`
  bool flash = false;       // code cannot be patched where it runs

 private:
  std::uint8_t* at(std::uint32_t address, std::size_t size);

  std::array<std::uint8_t, kSize> code_{};
  std::array<std::uint8_t, kSize> ram_{};
};

// The processor and the board at once. `run` executes until the engine halts the application or nothing more happens.
class FakeBoard final : public DebugUnit {
 public:
  void keep_handlers_apart(bool apart) override { apart_ = apart; }
  bool handlers_apart() const { return apart_; }

  explicit FakeBoard(FakeMemory& memory) : memory_(memory) {}

  void set_events(DebugEvents& events) { events_ = &events; }

  Capabilities capabilities() const override {
    return {.breakpoints = breakpoints,
            .patches = patches,
            .hardware_step = hardware_step,
            .watchpoints = watchpoints,
            .watch_length = 64,
            .watching = watching};
  }
  void halt() override { halt_wanted_ = true; }
  void halt_at_start() override { halt_at_start_ = true; }
  void resume(const Context& context) override;
  bool enter_fault_handler(Context& context) override;
  void wake() override { ++wakes; }
  void step_next() override { step_next_ = true; }
  void mask_interrupts(bool masked) override { masked_ = masked; }
  bool insert_breakpoint(std::uint32_t address) override;
  bool remove_breakpoint(std::uint32_t address) override;
  bool insert_watchpoint(const Watchpoint& watchpoint) override;
  void remove_watchpoints() override { guarding_ = false; }
  bool guards(std::uint32_t address, std::uint32_t size) const override;
  Watchpoint watchpoint_hit() const override { return comparator_hit; }

  // Starts the application at `pc`.
  void start(std::uint32_t pc);

  // Executes at most `instructions`; the Secure thread gets its turn when it returns. Returns how many were executed.
  std::uint32_t run(std::uint32_t instructions = 1000);

  bool running() const { return running_; }
  bool crashed() const { return crashed_; }
  bool masked() const { return masked_; }
  bool guarding() const { return guarding_; }

  Context cpu;
  std::uint32_t breakpoints = 0;  // comparators
  bool patches = true;
  bool hardware_step = false;
  std::uint32_t watchpoints = 2;
  Watching watching = Watching::kAttribution;
  Watchpoint comparator_hit;
  std::uint32_t fault_handler = 0;  // address; 0: the application has none
  bool interrupt_pending = false;
  std::function<void()> interrupt_handler;  // what the application's interrupt does, all at once
  std::uint32_t interrupts_taken = 0;
  std::uint32_t executed = 0;
  std::uint32_t wakes = 0;

 private:
  bool execute();
  bool execute_narrow(std::uint16_t code);
  bool execute_wide(std::uint16_t first, std::uint16_t second);
  bool execute_transfer(std::uint16_t code);
  bool meets_guard(std::uint16_t code) const;
  void raise(Event event);
  void jump(std::uint32_t target) { cpu.pc() = target & ~1U; }

  FakeMemory& memory_;
  DebugEvents* events_ = nullptr;
  bool apart_ = false;
  bool running_ = false;
  bool crashed_ = false;
  bool masked_ = false;
  std::vector<Watchpoint> guards_;  // those inserted last
  bool guarding_ = false;
  std::vector<std::uint32_t> comparators_;  // addresses of instructions
  bool step_next_ = false;
  bool halt_wanted_ = false;
  bool halt_at_start_ = false;
};

}  // namespace mv::debug::test
