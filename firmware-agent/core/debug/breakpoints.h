// The breakpoints that are in the application now, and the program's own bytes beneath them.
//
// A breakpoint is the debugger's or a stop of the engine's own (where a step will land); both may lie on one address.
// Hardware breakpoints are used where the board has them, else a BKPT is patched over the instruction. No heap. Not to
// be used while the application runs, but for what `DebugEvents::on_event` does, `mask` and `changes`.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/debug/breakpoint_programs.h"
#include "core/debug/next_pc.h"
#include "core/platform/debug_unit.h"

namespace mv::debug {

enum class BreakpointError : std::uint8_t {
  kNone,
  kNoneFree,    // the table, or the hardware, is full
  kBadAddress,  // not code of the application, odd, or not writable
};

class Breakpoints {
 public:
  static constexpr std::size_t kMaxUser = 32;

  Breakpoints(DebugUnit& unit, ApplicationMemory& memory) : unit_(unit), memory_(memory) {}

  // How many the debugger may have at once.
  std::size_t capacity() const;
  std::size_t used() const;

  // The debugger's. Inserting one that is there, or removing one that is not, does nothing.
  BreakpointError insert(std::uint32_t address);
  void remove(std::uint32_t address);
  void remove_all();
  bool is_user(std::uint32_t address) const;

  // What runs behind the debugger's breakpoints; a removed breakpoint takes its part with it.
  BreakpointPrograms& programs() { return programs_; }

  // The engine's own: at most Step::kMaxTargets at once.
  bool put_stop(std::uint32_t address);
  bool is_stop(std::uint32_t address) const;

  // Takes the debugger's breakpoint at `address` out for as long as the instruction there is executed.
  void lift(std::uint32_t address);

  // Takes the engine's stops out and puts what was lifted back.
  void settle();

  // The application's image was made fresh: patches are gone with the old one. `replace` puts the debugger's back.
  void image_replaced();
  void replace();

  // Puts the program's own bytes over the patches in a copy of [address, address + bytes.size()).
  void mask(std::uint32_t address, std::span<std::uint8_t> bytes) const;

  // Counts patches that were put in or taken out. Memory that was read and masked while the application ran is right if
  // the count stayed the same meanwhile.
  std::uint32_t changes() const { return changes_; }

  // Takes out, and puts back, every patch within the range, so that it can be written.
  void open(std::uint32_t address, std::size_t size);
  void close(std::uint32_t address, std::size_t size);

 private:
  static constexpr std::size_t kPatchSize = 2;  // bytes of a BKPT

  struct Entry {
    std::uint32_t address = 0;
    std::array<std::uint8_t, kPatchSize> original{};
    bool user = false;
    bool stop = false;
    bool lifted = false;
    bool placed = false;
    bool hardware = false;
  };

  Entry* find(std::uint32_t address);
  const Entry* find(std::uint32_t address) const;
  Entry* find_or_add(std::uint32_t address);
  bool update(Entry& entry);
  bool place(Entry& entry);
  void take_out(Entry& entry);
  static bool overlaps(const Entry& entry, std::uint32_t address, std::size_t size);

  DebugUnit& unit_;
  ApplicationMemory& memory_;
  std::array<Entry, kMaxUser + Step::kMaxTargets> entries_{};
  std::atomic<std::uint32_t> changes_ = 0;
  BreakpointPrograms programs_;
};

// The application's memory without the patches: what the program itself put there. Reading works while the application
// runs, too.
class MaskedMemory final : public ApplicationMemory {
 public:
  MaskedMemory(ApplicationMemory& memory, Breakpoints& breakpoints) : memory_(memory), breakpoints_(breakpoints) {}

  bool read(std::uint32_t address, std::span<std::uint8_t> out) override;
  bool write(std::uint32_t address, std::span<const std::uint8_t> bytes) override;
  bool patch_code(std::uint32_t address, std::span<const std::uint8_t> bytes) override;
  bool is_code(std::uint32_t address) const override { return memory_.is_code(address); }

 private:
  ApplicationMemory& memory_;
  Breakpoints& breakpoints_;
};

}  // namespace mv::debug
