// The watchpoints that the debugger wants, and whether an access is one that they wait for.
//
// How the board watches (debug_unit.h, Watching) decides what is done here:
//   kComparators: nothing but keeping the list; the hardware tells exact hits, after the access. A write that changes
//     nothing is told apart by a checksum.
//   kAttribution: the board tells each access to the surroundings before it is made, and the instruction says which
//     bytes it is going to touch. A watchpoint on a stack cannot be guarded so: `must_step` says that the engine has to
//     step, looking at each instruction.
// What the instruction at pc alone does not tell (an exclusive sequence, an interrupt handler that writes to a stack)
// is found by comparing the bytes before and after. Not to be used while the application runs, but for what
// `DebugEvents::on_event` does. No heap.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/debug/data_access.h"
#include "core/platform/debug_unit.h"

namespace mv::debug {

enum class WatchpointError : std::uint8_t {
  kNone,
  kNoneFree,  // of the list, or of the board's comparators
  kBadRange,  // empty, longer than the board can watch, or not readable
};

// What is reported: the first watched byte that was touched, and what the watchpoint waits for.
struct WatchHit {
  std::uint32_t address = 0;
  WatchKind kind = WatchKind::kWrite;
};

class Watchpoints {
 public:
  static constexpr std::size_t kMax = 4;

  // How near to a stack pointer the memory counts as that stack, in bytes: room for nested exception frames below, and
  // for the frames of the functions that called, where the top of a stack is not known.
  static constexpr std::uint32_t kStackReach = 2048;

  Watchpoints(DebugUnit& unit, ApplicationMemory& memory) : unit_(unit), memory_(memory) {}

  std::size_t capacity() const;
  std::uint32_t longest() const { return unit_.capabilities().watch_length; }
  Watching watching() const { return unit_.capabilities().watching; }
  bool empty() const { return count_ == 0; }

  // Inserting one that is there, or removing one that is not, does nothing. They take effect with `guard`.
  WatchpointError insert(const Watchpoint& watchpoint);
  void remove(const Watchpoint& watchpoint);
  void remove_all();
  bool contains(const Watchpoint& watchpoint) const;

  // Looks which watchpoints lie on a stack of `context`, which is to run on.
  void find_stacks(const Context& context);
  bool must_step() const { return on_stack_ != 0; }

  // Has the board guard what it can, and takes the guards away. `guard_exactly` does so only if the guards tell exact
  // hits: for single instructions that were looked at already.
  void guard();
  void guard_exactly();
  void unguard();

  // The watchpoint that the instruction at pc is going to hit. A write that leaves the bytes as they are is none for
  // kWrite, as GDB sees it. kAttribution only.
  std::optional<WatchHit> hit(const Context& context, const DataAccess& access);

  // Whether the write that a comparator saw left the bytes as they were when the guards were put up. kComparators only.
  bool wrote_the_same(const Watchpoint& hit);

  // Notes the watched bytes, or those that no guard protects; `changed` tells once which of them are others now.
  enum class Which : std::uint8_t { kNone, kUnguarded, kAll };
  void remember(Which which);
  std::optional<WatchHit> changed();

 private:
  bool on_stack(const Watchpoint& watchpoint, const Context& context, std::uint32_t main_stack_top) const;
  std::uint32_t main_stack_top();
  bool writes_the_same(const Context& context, const DataAccess& access, std::uint32_t from, std::uint32_t to);
  bool comparators_suffice();
  std::optional<std::uint32_t> sum(const Watchpoint& watchpoint);

  DebugUnit& unit_;
  ApplicationMemory& memory_;
  std::array<Watchpoint, kMax> list_{};
  std::array<std::uint32_t, kMax> sums_{};  // of the bytes when `remember` was called
  std::size_t count_ = 0;
  std::uint32_t on_stack_ = 0;    // bit n: list_[n] lies on a stack
  std::uint32_t remembered_ = 0;  // bit n: sums_[n] is to be compared
  bool guarded_ = false;
};

}  // namespace mv::debug
