#include "device.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "arch/cortex-m33/board_hooks.h"
#include "arch/cortex-m33/scheduler.h"
#include "boot/image_key.h"
#include "core/tls/tls_platform.h"

namespace mv {
namespace {

constexpr std::uint32_t kSystemCallAbi = 1;

// What the debugger may look at; static, because the agent keeps a reference.
std::span<const debug::Region> debug_regions() {
  static std::array<debug::Region, 3> regions;
  const arch::ApplicationRegions& own = board::application_memory().regions();
  regions = {debug::Region{own.code, own.code_size, debug::Region::Kind::kFlash},
             debug::Region{own.ram, own.ram_size, debug::Region::Kind::kRam},
             debug::Region{own.peripherals, own.peripherals_size, debug::Region::Kind::kPeripheral}};
  return regions;
}

std::uint64_t random_number() {
  std::uint64_t number = 0;
  const std::span<std::uint8_t> out(reinterpret_cast<std::uint8_t*>(&number), sizeof(number));
  return board::entropy().fill(out) ? number : board::clock().uptime_us();
}

// The reasons have the same numbers in the ABI and on the wire.
MvWakeReason wake_reason(storage::Restart::Cause cause, bool on_trial) {
  switch (cause) {
    case storage::Restart::Cause::kFault:
      return MV_WAKEREASON_MICROVISORCRASH;
    case storage::Restart::Cause::kError:
      return MV_WAKEREASON_MICROVISORERROR;
    case storage::Restart::Cause::kUpdate:
      return MV_WAKEREASON_MICROVISORUPDATE;
    case storage::Restart::Cause::kHung:
      return MV_WAKEREASON_MICROVISORWATCHDOG;
    case storage::Restart::Cause::kNone:
      break;
  }
  return on_trial ? MV_WAKEREASON_MICROVISORUPDATE : MV_WAKEREASON_COLDBOOT;
}
static_assert(static_cast<int>(mv_wire_WakeReason_WAKE_KERNEL_CRASH) == MV_WAKEREASON_MICROVISORCRASH);
static_assert(static_cast<int>(mv_wire_WakeReason_WAKE_KERNEL_ERROR) == MV_WAKEREASON_MICROVISORERROR);
static_assert(static_cast<int>(mv_wire_WakeReason_WAKE_KERNEL_WATCHDOG) == MV_WAKEREASON_MICROVISORWATCHDOG);
static_assert(static_cast<int>(mv_wire_WakeReason_WAKE_KERNEL_UPDATED) == MV_WAKEREASON_MICROVISORUPDATE);

link::CloudAddress address_of(const mv_wire_Identity& identity) {
  return {.host = identity.host,
          .port = static_cast<std::uint16_t>(identity.port),
          .server_name = identity.server_name,
          .certificate = {identity.certificate.bytes, identity.certificate.size},
          .key = std::span<const std::uint8_t, tls::kPrivateKeySize>(identity.private_key.bytes, tls::kPrivateKeySize),
          .ca_certificate = {identity.ca_certificate.bytes, identity.ca_certificate.size}};
}

link::AnyModem::Dialect dialect_of(const mv_wire_Identity& identity) {
  return identity.modem == mv_wire_Modem_MODEM_ESP_AT ? link::AnyModem::Dialect::kEspAt
                                                      : link::AnyModem::Dialect::kQuectel;
}

}  // namespace

link::WifiCredentials Device::KnownWifi::credentials() const {
  if (const auto set = store_.get()) return *set;
  return {{reinterpret_cast<const char*>(identity_.wifi_ssid.bytes), identity_.wifi_ssid.size},
          identity_.wifi_passphrase};
}

bool Device::RunControl::start() {
  stop();
  return board::world().start();
}

void Device::RunControl::stop() {
  board::world().stop();
  device_.channel_.application_stopped();
}

void Device::CrashPath::on_crash(debug::Event event, const debug::Context& context,
                                 const debug::FaultRegisters& fault) {
  device_.supervisor_.on_crash(event, context, fault);
}

void Device::SemihostingLog::application_wrote(std::string_view line) {
  if (!device_.log_.enabled()) return;
  device_.log_.append(mv_wire_LogSource_LOG_APPLICATION,
                      {reinterpret_cast<const std::uint8_t*>(line.data()), line.size()});
  device_.guest_board_.wake_secure_thread();
}

void Device::CrashPath::on_reflected(debug::Event event, const debug::Context& context,
                                     const debug::FaultRegisters& fault) {
  device_.supervisor_.on_reflected(event, context, fault);
}

void Device::UpdateRestart::restart(std::string_view why) {
  storage::Restart note;
  note.cause = storage::Restart::Cause::kUpdate;
  note.set_why(why);
  board::log(why);
  arch::restart(note);
}

void Device::StackMeter::measure(mv_wire_Resources& out) {
  out.tls_pool_size = tls::kPoolSize;
  out.tls_pool_high_water = static_cast<std::uint32_t>(tls::pool_use().high_water);
  out.tls_stack_size = board::kThreadStackSize;
  out.tls_stack_high_water = static_cast<std::uint32_t>(board::kThreadStackSize - board::stack_room().thread);
}

Device::Device(const update::IdentityStore& identity, const Mode& mode)
    : mode_(mode),
      restart_(arch::take_restart_note()),
      started_(board::started()),
      version_(image::version_text(started_.version)),
      wake_reason_(wake_reason(restart_.cause, started_.on_trial)),
      identity_(identity.get()),
      address_(address_of(identity_)),
      info_{.device_id = identity_.device_id,
            .board = MV_BOARD_NAME,
            .microvisor_version = started_.version != 0 ? version_.data() : MV_VERSION,
            .syscall_abi = kSystemCallAbi,
            .boot_id = random_number(),
            .boot_count = 0,
            .wake_reason = static_cast<mv_wire_WakeReason>(wake_reason_),
            .boot_detail = storage::describe(restart_, boot_text_)},
      guest_memory_(board::application_memory().regions()),
      guest_board_(board::guest_traits()),
      device_clock_(board::clock(), lock_),
      log_(device_clock_, lock_),
      wifi_(board::flash(), lock_),
      guest_calls_({guest_memory_, guest_board_, board::external_flash(), wifi_, board::clock(), lock_}, device_clock_,
                   log_),
      crashes_(board::flash()),
      sessions_(board::flash()),
      signer_keys_(board::flash(), identity_),
      run_control_(*this),
      crash_path_(*this),
      semihosting_log_(*this),
      engine_(board::world(), board::application_memory()),
      known_wifi_(identity_, wifi_),
      modem_(dialect_of(identity_), board::link_port(), board::clock(), known_wifi_),
      link_(modem_.get(), board::clock(), board::entropy(), address_, info_,
            link::Peers{supervisor_, log_, crashes_, channel_, device_clock_, calls_, meter_, sessions_}),
      update_({board::flash(), board::clock(), link_.blobs(), calls_, signer_keys_, MV_BOARD_NAME,
               update::DecryptionKeys(identity_.decryption_keys, identity_.decryption_keys_count)}),
      image_crypto_(kImageKey),
      microvisor_({board::flash(), board::clock(), link_.blobs(), calls_, image_crypto_, update_restart_,
                   board::image_target()}),
      supervisor_({board::flash(), board::clock(), run_control_, engine_.memory(), update_, microvisor_, signer_keys_,
                   calls_, crashes_, log_, link_.events()}),
      agent_(engine_, supervisor_, debug::BoardInfo{MV_BOARD_NAME, debug_regions()}, board::clock()),
      channel_(agent_, supervisor_, debug::Identity{address_.certificate, address_.key}, board::clock(),
               link_.events()) {}

void Device::boot() {
  calls_.set_device_id({identity_.device_id, std::strlen(identity_.device_id)});
  arch::set_system_calls(guest_calls_);
  guest_calls_.test.set_test_mode(mode_.run_unsigned);  // as in the factory, before it is provisioned
  wifi_.load();
  engine_.keep_lines_in(semihosting_log_);
  board::world().listen(&engine_, &crash_path_);
  crashes_.mount();
  if (!info_.boot_detail.empty()) {
    board::log(info_.boot_detail);
    log_.append(info_.boot_detail);
  }
  microvisor_.boot(supervisor_, started_);
  supervisor_.boot(wake_reason_, mode_.run_unsigned);
  info_.boot_count = supervisor_.boot_count();
  board::log(board::world().running() ? "application: started"
                                      : "application: none installed, or no vector table that points into it");
}

bool Device::poll() {
  bool progress = mode_.link && link_.poll();
  progress |= channel_.poll();
  progress |= guest_calls_.wifi.poll();
  if (const auto verdict = guest_calls_.test.take_verdict()) end_test(*verdict);
  if (link_.connected()) microvisor_.cloud_reached();
  supervisor_.set_halted(engine_.halted());
  progress |= supervisor_.poll();
  return progress;
}

std::uint64_t Device::next_deadline_us() const {
  std::uint64_t deadline = supervisor_.next_deadline_us();
  if (mode_.link) deadline = std::min(deadline, link_.next_deadline_us());
  return std::min(deadline, channel_.deadline_us().value_or(deadline));
}

// What the factory reads. The application that tests ends here, whatever it found.
void Device::end_test(std::uint32_t verdict) {
  supervisor_.end_application();
  if (verdict == 0) return board::log("test: passed");
  std::array<char, 10> code{};
  const char* end = std::to_chars(code.data(), code.data() + code.size(), verdict).ptr;
  board::log_part("test: failed with code ");
  board::log({code.data(), static_cast<std::size_t>(end - code.data())});
}

// For a person at the console.
void Device::report_link() {
  if (link_.connected() == connected_) return;
  connected_ = link_.connected();
  board::log(connected_ ? "link: connected" : "link: lost");
}

void Device::run() {
  boot();
  for (;;) {
    arch::board_feed_watchdog();
    if (poll()) continue;
    report_link();
    arch::scheduler.wait_until(next_deadline_us());
  }
}

}  // namespace mv
