#include "core/debug/stop_report.h"

#include <algorithm>

#include "core/debug/fault.h"

namespace mv::debug {
namespace {

constexpr std::uint32_t kLine = 64;  // bytes that a debugger reads of a stack at once, aligned

constexpr std::array kReasons = {
    mv_wire_StopReason_STOP_ATTACHED,   mv_wire_StopReason_STOP_BREAKPOINT,
    mv_wire_StopReason_STOP_STEP,       mv_wire_StopReason_STOP_INTERRUPT,
    mv_wire_StopReason_STOP_FAULT,      mv_wire_StopReason_STOP_RESET,
    mv_wire_StopReason_STOP_WATCHPOINT, mv_wire_StopReason_STOP_PROGRAM_BREAKPOINT,
    mv_wire_StopReason_STOP_EXITED,
};
static_assert(kReasons.size() == static_cast<std::size_t>(Reason::kExited) + 1);

template <class Field>
void put_words(std::span<const std::uint32_t> words, Field& field) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (std::size_t byte = 0; byte < 4; ++byte) {
      field.bytes[4 * i + byte] = static_cast<pb_byte_t>(words[i] >> (8 * byte));
    }
  }
  field.size = static_cast<pb_size_t>(4 * words.size());
}

// The engine and the schema name the same things by the same numbers.
static_assert(static_cast<int>(WatchKind::kWrite) == mv_wire_WatchKind_WATCH_WRITE);
static_assert(static_cast<int>(WatchKind::kRead) == mv_wire_WatchKind_WATCH_READ);
static_assert(static_cast<int>(WatchKind::kAccess) == mv_wire_WatchKind_WATCH_ACCESS);
static_assert(static_cast<int>(Watching::kComparators) == mv_wire_Watching_WATCHING_COMPARATORS);
static_assert(static_cast<int>(Watching::kAttribution) == mv_wire_Watching_WATCHING_ATTRIBUTION);

const Region* find(std::span<const Region> regions, Region::Kind kind, std::uint32_t address) {
  const auto found = std::ranges::find_if(
      regions, [&](const Region& region) { return region.kind == kind && address - region.address < region.size; });
  return found == regions.end() ? nullptr : &*found;
}

}  // namespace

bool inside(std::span<const Region> regions, Region::Kind kind, std::uint32_t address, std::uint32_t size) {
  const Region* region = find(regions, kind, address);
  return region != nullptr && size <= region->size - (address - region->address);
}

void StopReport::fill(Engine& engine, std::span<const mv_wire_ReadRange> push, MemoryParts& parts,
                      mv_wire_Stopped& out) {
  out = mv_wire_Stopped_init_zero;
  out.reason = kReasons[static_cast<std::size_t>(engine.reason())];
  out.steps = engine.steps();
  if (engine.reason() == Reason::kFault) {
    const fault::Fault fault = explain_fault(engine.fault(), engine.context(), engine.memory());
    out.has_fault = true;
    out.fault = {.cfsr = fault.cfsr,
                 .hfsr = fault.hfsr,
                 .mmfar = fault.mmfar,
                 .bfar = fault.bfar,
                 .sfsr = fault.sfsr,
                 .sfar = fault.sfar,
                 .access_address = fault.access.address,
                 .access_size = fault.access.size,
                 .access_writes = fault.access.writes};
  }
  if (engine.reason() == Reason::kWatchpoint) {
    out.watch_address = engine.watch_hit().address;
    out.watch_kind = static_cast<mv_wire_WatchKind>(engine.watch_hit().kind);
  }
  if (engine.reason() == Reason::kExited) out.exit_status = engine.exit_status();
  fill_registers(engine.context(), out);
  fill_stack(engine, out);
  fill_pushed(engine, push, parts, out);
}

void StopReport::fill_registers(const Context& context, mv_wire_Stopped& out) const {
  out.registers_unavailable = !context.frame_valid;
  put_words(context.core, out.registers);
  put_words(context.system, out.system);
  if (context.has_fp) put_words(context.fp, out.fp);
}

void StopReport::fill_stack(Engine& engine, mv_wire_Stopped& out) {
  stack_used_ = {};
  const std::uint32_t sp = engine.context().sp();
  const Region* region = find(regions_, Region::Kind::kRam, sp);
  if (region == nullptr) return;
  const std::uint32_t start = std::max(sp / kLine * kLine, region->address);
  const auto size = std::min<std::size_t>(kStackBytes, region->size - (start - region->address));
  if (!engine.memory().read(start, std::span(stack_).first(size))) return;
  stack_used_ = std::span(stack_).first(size);
  out.stack_address = start;
  encode_bytes_as(out.stack, &stack_used_);
}

void StopReport::fill_pushed(Engine& engine, std::span<const mv_wire_ReadRange> push, MemoryParts& parts,
                             mv_wire_Stopped& out) {
  parts.clear();
  std::size_t left = kMaxPushed;
  for (const mv_wire_ReadRange& range : push) {
    if (range.length > left) {
      parts.add_error(range.address, mv_wire_AgentError_AGENT_BAD_REQUEST);
    } else if (!inside(regions_, Region::Kind::kRam, range.address, range.length)) {
      parts.add_error(range.address, mv_wire_AgentError_AGENT_BAD_ADDRESS);
    } else {
      parts.add(engine.memory(), range.address, range.length);
      left -= range.length;
    }
  }
  parts.encode_as(out.pushed);
}

}  // namespace mv::debug
