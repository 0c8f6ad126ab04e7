// What a debugger is told when the application has stopped: registers, faults, the top of the stack, pushed ranges.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/debug/engine.h"
#include "core/debug/memory_parts.h"
#include "core/debug/peers.h"
#include "wire/proto/agent.nanopb.h"

namespace mv::debug {

// True if [address, address + size) lies in one region of that kind.
bool inside(std::span<const Region> regions, Region::Kind kind, std::uint32_t address, std::uint32_t size);

class StopReport {
 public:
  static constexpr std::size_t kStackBytes = 512;
  static constexpr std::size_t kMaxPushed = 1024;  // bytes of all pushed ranges together

  explicit StopReport(std::span<const Region> regions) : regions_(regions) {}

  // Fills `out` from the halted engine. `out` points into this object and `parts` until it is encoded.
  void fill(Engine& engine, std::span<const mv_wire_ReadRange> push, MemoryParts& parts, mv_wire_Stopped& out);

 private:
  void fill_registers(const Context& context, mv_wire_Stopped& out) const;
  void fill_stack(Engine& engine, mv_wire_Stopped& out);
  void fill_pushed(Engine& engine, std::span<const mv_wire_ReadRange> push, MemoryParts& parts, mv_wire_Stopped& out);

  std::span<const Region> regions_;
  std::array<std::uint8_t, kStackBytes> stack_{};
  std::span<const std::uint8_t> stack_used_;
};

}  // namespace mv::debug
