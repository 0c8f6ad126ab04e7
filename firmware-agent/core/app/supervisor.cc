#include "core/app/supervisor.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>

#include "core/debug/fault.h"
#include "core/storage/little_endian.h"

namespace mv::app {
namespace {

constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

// Kinds of records in flash_map::kCounters.
constexpr std::uint8_t kBootCount = 0;
constexpr std::uint8_t kRestartGeneration = 1;

constexpr std::size_t kReasonSize = sizeof(mv_wire_CrashReport::reason) - 1;

// Between two reports of faults that the application's own handler got.
constexpr std::uint64_t kReflectedGapUs = 10'000'000;

// A step halts and goes on within a round trip: a report of each would double what it costs on the air.
constexpr std::uint64_t kHaltSettleUs = 1'000'000;

std::string_view describe(debug::Event event, const fault::Fault& fault, std::span<char> text) {
  return event == debug::Event::kBreakpoint ? fault::kBreakpoint : fault::describe(fault, text);
}

}  // namespace

Supervisor::Supervisor(const Ports& ports)
    : clock_(ports.clock),
      application_(ports.application),
      memory_(ports.memory),
      engine_(ports.engine),
      microvisor_(ports.microvisor),
      keys_(ports.keys),
      calls_(ports.calls),
      crashes_(ports.crashes),
      log_(ports.log),
      events_(ports.events),
      counters_(ports.flash, flash_map::kCounters) {}

void Supervisor::boot(MvWakeReason reason, bool run_unsigned) {
  boot_reason_ = reason;
  run_unsigned_ = run_unsigned;
  counters_.mount();
  keys_.mount();
  const auto count = counters_.find(kBootCount);
  boot_count_ = (count ? count->number : 0) + 1;
  counters_.put(kBootCount, boot_count_);
  std::array<std::uint8_t, 8> generation{};
  if (counters_.read(kRestartGeneration, generation) == generation.size()) {
    restart_done_ = storage::load_u32(std::span(generation).first<4>()) |
                    std::uint64_t{storage::load_u32(std::span(generation).last<4>())} << 32U;
    restart_known_ = true;
  }
  engine_.boot(*this);
  engine_.poll();  // what was staged before the power went is installed now: there is nobody to wait for
  while (engine_.installing() && engine_.poll()) {
  }
  if (state_ == State::kNone && may_start()) start(reason);
}

bool Supervisor::start(MvWakeReason reason) {
  calls_.reset(reason);
  halted_ = false;
  started_us_ = clock_.uptime_us();
  application_.reflect_faults(engine_.running() != nullptr && engine_.running()->reflect_faults);
  if (!application_.start()) {
    log_.append("the installed image has no vector table that points into it, so it cannot start");
    enter(State::kNone);
    return false;
  }
  enter(State::kRunning);
  return true;
}

void Supervisor::end_application() {
  if (state_ != State::kRunning) return;
  application_.stop();
  enter(State::kNone);
}

void Supervisor::enter(State state) {
  state_ = state;
  ++version_;
}

bool Supervisor::poll() {
  if (crash_.fresh.exchange(false)) record_crash();
  if (reflected_.fresh) report_reflected();
  if (state_ == State::kCrashed && clock_.uptime_us() >= restart_at_us_) {
    ++restarts_;
    start(MV_WAKEREASON_APPLICATIONCRASH);
  }
  if (calls_.take_restart() && !engine_.apply() && !microvisor_.apply() && state_ == State::kRunning) {
    application_.stop();
    ++restarts_;
    events_.post("application restarted", "it asked for it");
    start(MV_WAKEREASON_REMOTEAPPLICATIONRESTART);
  }
  if (calls_.take_confirmation()) engine_.confirm();
  if (restart_wanted_ > restart_done_) restart_by_cloud();
  if (clock_.uptime_us() >= halt_settles_at_us_) {
    halt_settles_at_us_ = kNever;
    if (halted_ != halted_reported_) ++version_;
  }
  calls_.set_reason(MV_NETWORKREASON_FETCHINGUPDATE, engine_.fetching() || microvisor_.fetching());
  calls_.set_reason(MV_NETWORKREASON_APPLICATIONERROR, crashes_.any());
  tell_of_update();
  const bool more = engine_.poll();
  return microvisor_.poll() || more;
}

void Supervisor::tell_of_update() {
  if (std::exchange(told_version_, engine_.report_version()) == engine_.report_version()) return;
  mv_wire_AppReport update;
  engine_.report(update);
  const bool on_trial = update.wait == mv_wire_UpdateWait_WAIT_CONFIRMATION;
  const MvUpdateState state = update.state == mv_wire_AppState_APP_DOWNLOADING ? MV_UPDATESTATE_DOWNLOADING
                              : update.state == mv_wire_AppState_APP_STAGED    ? MV_UPDATESTATE_STAGED
                              : on_trial                                       ? MV_UPDATESTATE_TRIAL
                                                                               : MV_UPDATESTATE_NONE;
  calls_.set_update_status({state, update.bytes_done, update.bytes_total});
}

std::uint64_t Supervisor::next_deadline_us() const {
  return std::min({engine_.next_deadline_us(), microvisor_.next_deadline_us(),
                   state_ == State::kCrashed ? restart_at_us_ : kNever, halt_settles_at_us_,
                   reflected_.fresh ? report_reflected_at_us_ : kNever});
}

// ---- crashes ----

void Supervisor::Note::take(debug::Event what, const debug::Context& where, const debug::FaultRegisters& fault) {
  event = what;
  context = where;
  registers = fault;
  fresh = true;
}

void Supervisor::on_crash(debug::Event event, const debug::Context& context, const debug::FaultRegisters& fault) {
  crash_.take(event, context, fault);
}

void Supervisor::on_reflected(debug::Event event, const debug::Context& context, const debug::FaultRegisters& fault) {
  reflected_count_ = reflected_count_ + 1;
  if (!reflected_.fresh) reflected_.take(event, context, fault);
}

// An application may fault and recover as often as it likes: what it costs on the air is bounded.
void Supervisor::report_reflected() {
  const std::uint64_t now = clock_.uptime_us();
  if (now < report_reflected_at_us_) return;
  report_reflected_at_us_ = now + kReflectedGapUs;
  std::array<char, kReasonSize> text;
  const auto fault = debug::explain_fault(reflected_.registers, reflected_.context, memory_);
  const std::string_view what = describe(reflected_.event, fault, text);
  log_.append(what);
  events_.post(reflected_count_.exchange(0) == 1 ? "fault" : "faults, the last", what);
  reflected_.fresh = false;
}

void Supervisor::record_crash() {
  if (state_ != State::kRunning) return;  // it was stopped meanwhile: an installation, a restart
  application_.stop();
  mv_wire_CrashReport& report = crash_report_;
  report = mv_wire_CrashReport_init_zero;
  report.uptime_us = clock_.uptime_us();
  if (const update::Manifest* running = engine_.running()) {
    report.manifest_hash.size = sizeof(update::Hash);
    std::memcpy(report.manifest_hash.bytes, running->hash.data(), sizeof(update::Hash));
  }
  const fault::Fault fault = debug::explain_fault(crash_.registers, crash_.context, memory_);
  std::array<char, kReasonSize> text;
  const std::string_view reason = describe(crash_.event, fault, text);
  std::ranges::copy(reason, report.reason);
  report.registers_count = static_cast<pb_size_t>(crash_.context.core.size());
  std::ranges::copy(crash_.context.core, report.registers);
  report.cfsr = fault.cfsr;
  report.hfsr = fault.hfsr;
  report.mmfar = fault.mmfar;
  report.bfar = fault.bfar;
  report.sfsr = fault.sfsr;
  report.sfar = fault.sfar;
  report.access_address = fault.access.address;
  report.access_size = fault.access.size;
  report.access_writes = fault.access.writes;
  report.system_count = static_cast<pb_size_t>(crash_.context.system.size());
  std::ranges::copy(crash_.context.system, report.system);
  fill_stack(report);
  fill_regions(report);
  if (!crashes_.add(report)) log_.append("a crash of the application could not be written to flash");
  log_.append(reason);
  engine_.application_crashed();
  begin_back_off();
}

// As much of the stack from the stack pointer upwards as the policy wants and can be read.
void Supervisor::fill_stack(mv_wire_CrashReport& report) {
  const update::Manifest* running = engine_.running();
  const std::uint32_t wanted = running != nullptr ? running->include_stack_bytes : 0;
  report.stack_address = crash_.context.sp();
  for (std::uint32_t size = std::min(wanted != 0 ? wanted : kDefaultStackBytes, kMaxStackBytes) / 8 * 8; size != 0;
       size -= 8) {
    if (!memory_.read(report.stack_address, {report.stack.bytes, size})) continue;
    report.stack.size = static_cast<pb_size_t>(size);
    return;
  }
}

// What the policy names, in its order: a region is kept whole or not at all.
void Supervisor::fill_regions(mv_wire_CrashReport& report) {
  const update::Manifest* running = engine_.running();
  if (running == nullptr) return;
  for (const auto& region : running->crash_regions) {
    const std::uint32_t used = report.memory.size;
    if (region.length == 0 || region.length > sizeof report.memory.bytes - used) continue;
    if (!memory_.read(region.address, {&report.memory.bytes[used], region.length})) continue;
    report.memory.size = static_cast<pb_size_t>(used + region.length);
    report.spans[report.spans_count++] = {region.address, region.length};
  }
}

void Supervisor::begin_back_off() {
  const update::Manifest* running = engine_.running();
  const std::uint32_t minimum =
      running != nullptr && running->minimum_restart_ms != 0 ? running->minimum_restart_ms : kMinimumRestartMs;
  const std::uint32_t maximum =
      std::max(minimum, running != nullptr && running->maximum_restart_ms != 0 ? running->maximum_restart_ms
                                                                               : kMaximumRestartMs);
  const std::uint64_t now = clock_.uptime_us();
  const bool stable = now - started_us_ >= kStableUs;
  back_off_ms_ = back_off_ms_ == 0 || stable ? minimum : back_off_ms_ > maximum / 2 ? maximum : back_off_ms_ * 2;
  back_off_ms_ = std::clamp(back_off_ms_, minimum, maximum);
  restart_at_us_ = now + std::uint64_t{back_off_ms_} * 1000;
  enter(State::kCrashed);
}

// ---- restarts ----

void Supervisor::set_halted(bool halted) {
  if (halted_ == halted) return;
  halted_ = halted;
  halt_settles_at_us_ = clock_.uptime_us() + kHaltSettleUs;
}

bool Supervisor::restart_for_debugger() {
  if (engine_.installing() || !may_start()) return false;
  application_.stop();
  crash_.fresh = false;
  ++restarts_;
  return start(MV_WAKEREASON_DEBUGGERRESTART);
}

// A restart that is asked for while nothing can be started is done with: what comes next starts afresh anyway.
void Supervisor::restart_by_cloud() {
  std::array<std::uint8_t, 8> bytes;
  storage::store_u32(std::span(bytes).first<4>(), static_cast<std::uint32_t>(restart_wanted_));
  storage::store_u32(std::span(bytes).last<4>(), static_cast<std::uint32_t>(restart_wanted_ >> 32U));
  counters_.put(kRestartGeneration, 0, bytes);
  restart_done_ = restart_wanted_;
  ++version_;
  if (engine_.installing() || !may_start()) return;
  application_.stop();
  back_off_ms_ = 0;
  ++restarts_;
  events_.post("application restarted", "the cloud asked for it");
  start(MV_WAKEREASON_REMOTEAPPLICATIONRESTART);
}

bool Supervisor::running_bundle(debug::RunningBundle& out) {
  const update::Manifest* running = engine_.running();
  if (running == nullptr || state_ == State::kNone) return false;
  out.manifest_hash = running->hash;
  out.build_id = running->build_id;
  out.build_id_size = running->build_id_size;
  out.debug_key = running->debug_key;
  out.has_debug_key = running->has_debug_key;
  out.halt_limit_s = running->halt_limit_sec;
  return true;
}

// ---- the link and the update engine ----

void Supervisor::on_desired(const mv_wire_Desired& desired) {
  // A device that never heard of restarts does not begin with one for all that were asked of its predecessor.
  if (!restart_known_) {
    restart_known_ = true;
    restart_done_ = desired.restart_generation;
  }
  restart_wanted_ = desired.restart_generation;
  engine_.desire(desired);
  microvisor_.desire(desired);
}

void Supervisor::on_key_change(std::span<const std::uint8_t> message) {
  update::Sha256 sha;
  sha.add(message);
  key_answer_.any = sha.finish(key_answer_.message);
  if (!key_answer_.any) return;
  if (!engine_.settled()) {
    key_answer_.error = mv_wire_KeyChangeError_KEYS_NOT_NOW;
    return;
  }
  const update::Manifest* running = engine_.running();
  const auto in_use = running != nullptr ? running->signers.view() : std::span<const std::uint64_t>();
  key_answer_.error = keys_.apply(message, in_use);
  if (key_answer_.error == mv_wire_KeyChangeError_KEYS_OK) engine_.signers_changed();
}

void Supervisor::report_keys(mv_wire_KeysReport& out) {
  keys_.report(out);
  if (!key_answer_.any) return;
  out.answered.size = sizeof(update::Hash);
  std::ranges::copy(key_answer_.message, out.answered.bytes);
  out.error = key_answer_.error;
}

void Supervisor::report(mv_wire_AppReport& out) {
  halted_reported_ = halted_;
  engine_.report(out);
  out.has_microvisor = true;
  microvisor_.report(out.microvisor);
  out.restart_generation = restart_done_;
  out.restarts = restarts_;
  if (out.state != mv_wire_AppState_APP_RUNNING && out.state != mv_wire_AppState_APP_NONE) return;
  if (state_ == State::kCrashed) {
    out.state = mv_wire_AppState_APP_CRASHED;
  } else if (state_ == State::kRunning) {
    out.state = halted_ ? mv_wire_AppState_APP_HALTED : mv_wire_AppState_APP_RUNNING;
  } else {
    out.state = mv_wire_AppState_APP_NONE;
  }
}

// Not in the middle of an update of the application, nor under somebody's debugger.
bool Supervisor::no_time_to_restart() {
  mv_wire_AppReport app;
  engine_.report(app);
  const bool over = app.target_hash.size == 0 || app.state == mv_wire_AppState_APP_REFUSED;
  return halted_ || !over || app.wait != mv_wire_UpdateWait_WAIT_NOTHING;
}

std::uint32_t Supervisor::politeness_sec() {
  const update::Manifest* running = engine_.running();
  return running != nullptr ? running->maximum_politeness_time_sec : 0;
}

void Supervisor::stop_for_install() {
  application_.stop();
  calls_.update_gone();
  crash_.fresh = false;
  enter(State::kInstalling);
}

void Supervisor::install_ended(bool installed) {
  calls_.update_gone();
  back_off_ms_ = 0;
  enter(State::kNone);
  if (installed) start(MV_WAKEREASON_APPLICATIONUPDATE);
}

}  // namespace mv::app
