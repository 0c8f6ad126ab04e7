#include "gdbserver/target/snapshot.h"

#include <cstring>
#include <string>

namespace mv::gdb {
namespace {

// Words are little-endian on the wire as in the core. False if `bytes` is not exactly as long as `words`.
template <std::size_t N>
bool take_words(const std::string& bytes, std::array<std::uint32_t, N>& words) {
  if (bytes.size() != N * 4) return false;
  for (std::size_t i = 0; i < N; ++i) {
    words[i] = 0;
    for (std::size_t b = 0; b < 4; ++b)
      words[i] |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[4 * i + b])) << (8 * b);
  }
  return true;
}

template <std::size_t N>
std::string put_words(const std::array<std::uint32_t, N>& words) {
  std::string out;
  for (const std::uint32_t word : words)
    for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(word >> shift);
  return out;
}

template <std::size_t N>
std::uint32_t differences(const std::array<std::uint32_t, N>& a, const std::array<std::uint32_t, N>& b) {
  std::uint32_t mask = 0;
  for (std::size_t i = 0; i < N; ++i)
    if (a[i] != b[i]) mask |= 1U << i;
  return mask;
}

StopReason reason_from(wire::StopReason reason) {
  switch (reason) {
    case wire::STOP_BREAKPOINT:
      return StopReason::kBreakpoint;
    case wire::STOP_STEP:
      return StopReason::kStep;
    case wire::STOP_INTERRUPT:
      return StopReason::kInterrupt;
    case wire::STOP_FAULT:
      return StopReason::kFault;
    case wire::STOP_RESET:
      return StopReason::kReset;
    case wire::STOP_EXITED:
      return StopReason::kExited;
    case wire::STOP_WATCHPOINT:
      return StopReason::kWatchpoint;
    case wire::STOP_PROGRAM_BREAKPOINT:
      return StopReason::kProgramBreakpoint;
    default:
      return StopReason::kAttached;
  }
}

WatchKind kind_from(wire::WatchKind kind) {
  return kind == wire::WATCH_READ     ? WatchKind::kRead
         : kind == wire::WATCH_ACCESS ? WatchKind::kAccess
                                      : WatchKind::kWrite;
}

}  // namespace

Stop stop_from(const wire::Stopped& stopped) {
  Stop stop;
  stop.reason = reason_from(stopped.reason());
  arm::RegisterFile& file = stop.registers;
  const bool core = take_words(stopped.registers(), file.core);
  file.core_valid = core && !stopped.registers_unavailable();
  take_words(stopped.system(), file.system);
  file.has_fp = take_words(stopped.fp(), file.fp);
  if (stopped.has_fault()) {
    const wire::Fault& f = stopped.fault();
    stop.fault =
        fault::Fault{.cfsr = f.cfsr(),
                     .hfsr = f.hfsr(),
                     .mmfar = f.mmfar(),
                     .bfar = f.bfar(),
                     .sfsr = f.sfsr(),
                     .sfar = f.sfar(),
                     .access = {.address = f.access_address(), .size = f.access_size(), .writes = f.access_writes()},
                     .exception = arm::active_exception(file)};
  }
  stop.exit_status = static_cast<std::uint8_t>(stopped.exit_status());
  if (stop.reason == StopReason::kWatchpoint)
    stop.watch = WatchHit{stopped.watch_address(), kind_from(stopped.watch_kind())};
  return stop;
}

wire::WriteRegistersRequest register_changes(const arm::RegisterFile& before, const arm::RegisterFile& after) {
  wire::WriteRegistersRequest request;
  request.set_mask(differences(before.core, after.core));
  if (request.mask() != 0) request.set_registers(put_words(after.core));
  request.set_system_mask(differences(before.system, after.system));
  if (request.system_mask() != 0) request.set_system(put_words(after.system));
  if (before.fp != after.fp) request.set_fp(put_words(after.fp));
  return request;
}

}  // namespace mv::gdb
