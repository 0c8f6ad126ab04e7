#include "core/app/system_calls.h"

#include <array>
#include <cstring>

#include "core/app/guest_words.h"

namespace mv::app {
namespace {

constexpr std::uint32_t kRequestNetworkVersion = 1;

}  // namespace

MvStatus SystemCalls::put_u32(std::uint32_t out, std::uint32_t value) { return put_word(memory_, out, value); }

MvStatus SystemCalls::put_u64(std::uint32_t out, std::uint64_t value) {
  return put_words<2>(memory_, out, {static_cast<std::uint32_t>(value), static_cast<std::uint32_t>(value >> 32U)});
}

bool SystemCalls::get_u32(std::uint32_t from, std::uint32_t& value) {
  Words<1> words;
  if (!copy_words(memory_, from, words)) return false;
  value = words[0];
  return true;
}

// ---- device and clock ----

MvStatus SystemCalls::get_microseconds(std::uint32_t out) { return put_u64(out, device_clock_.uptime_us()); }

MvStatus SystemCalls::get_wall_time(std::uint32_t out) {
  if (!memory_.writable(out, sizeof(std::uint64_t))) return MV_STATUS_PARAMETERFAULT;
  const std::uint64_t now = device_clock_.wall_us();
  return now == 0 ? MV_STATUS_TIMENOTSET : put_u64(out, now);
}

MvStatus SystemCalls::get_device_id(std::uint32_t out, std::uint32_t length) {
  if (length != kDeviceIdSize) return MV_STATUS_INVALIDBUFFERSIZE;
  if (device_id_.size() != kDeviceIdSize) return MV_STATUS_UNAVAILABLE;
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(device_id_.data()), device_id_.size());
  return memory_.copy_out(out, bytes) ? MV_STATUS_OKAY : MV_STATUS_PARAMETERFAULT;
}

MvStatus SystemCalls::system_led_enable(std::uint32_t enable) {
  if (board_.in_interrupt()) return MV_STATUS_UNAVAILABLE;
  if (enable > 1) return MV_STATUS_PARAMETERFAULT;
  board_.set_system_led(enable == 1);
  return MV_STATUS_OKAY;
}

// ---- notifications ----

MvStatus SystemCalls::setup_notifications(std::uint32_t setup, std::uint32_t handle_out) {
  std::array<std::uint32_t, 3> words;
  if (!copy_words(memory_, setup, words)) return MV_STATUS_PARAMETERFAULT;
  if (!memory_.writable(handle_out, sizeof(std::uint32_t))) return MV_STATUS_PARAMETERFAULT;
  if (fast_interrupts_.contains(words[0])) return MV_STATUS_INVALIDINTERRUPT;
  MvStatus status = MV_STATUS_OKAY;
  const Handle handle = notifications_.open(words[0], words[1], words[2], status);
  return status == MV_STATUS_OKAY ? put_u32(handle_out, static_cast<std::uint32_t>(handle)) : status;
}

// Closes what the handle at `handle_in_out` names, and sets it to 0.
template <typename Remove>
MvStatus SystemCalls::close(std::uint32_t handle_in_out, Remove remove) {
  std::uint32_t handle = 0;
  if (!memory_.writable(handle_in_out, sizeof handle)) return MV_STATUS_PARAMETERFAULT;
  if (!get_u32(handle_in_out, handle)) return MV_STATUS_PARAMETERFAULT;
  if (!remove(static_cast<Handle>(handle))) return MV_STATUS_INVALIDHANDLE;
  return put_u32(handle_in_out, 0);
}

MvStatus SystemCalls::close_notifications(std::uint32_t handle_in_out) {
  return close(handle_in_out, [this](Handle handle) { return notifications_.close(handle); });
}

MvStatus SystemCalls::trigger_notification(std::uint32_t handle, std::uint32_t type, std::uint32_t tag) {
  const bool posted = notifications_.post(static_cast<Handle>(handle), static_cast<MvEventType>(type), tag);
  return posted ? MV_STATUS_OKAY : MV_STATUS_INVALIDHANDLE;
}

MvStatus SystemCalls::open_system_notification(std::uint32_t params, std::uint32_t handle_out) {
  if (board_.in_interrupt()) return MV_STATUS_UNAVAILABLE;
  std::array<std::uint32_t, 3> words;
  if (!copy_words(memory_, params, words)) return MV_STATUS_PARAMETERFAULT;
  if (!memory_.writable(handle_out, sizeof(std::uint32_t))) return MV_STATUS_PARAMETERFAULT;
  const auto [centre, tag, source] = words;
  const bool known =
      source <= MV_SYSTEMNOTIFICATIONSOURCE_UPDATE || source == MV_SYSTEMNOTIFICATIONSOURCE_UPDATEPROGRESS;
  if (!known) return MV_STATUS_INVALIDHANDLE;
  const LockGuard guard(lock_);
  if (!notifications_.valid(static_cast<Handle>(centre))) return MV_STATUS_INVALIDHANDLE;
  const Handle handle = system_events_.add(static_cast<Handle>(centre), tag, source);
  if (handle == Handle::kNone) return MV_STATUS_TOOMANYELEMENTS;
  if (source == MV_SYSTEMNOTIFICATIONSOURCE_UPDATE && update_pending_) {
    notifications_.post(static_cast<Handle>(centre), MV_EVENTTYPE_UPDATEDOWNLOADED, tag);
  }
  return put_u32(handle_out, static_cast<std::uint32_t>(handle));
}

MvStatus SystemCalls::close_system_notification(std::uint32_t handle_in_out) {
  if (board_.in_interrupt()) return MV_STATUS_UNAVAILABLE;
  return close(handle_in_out, [this](Handle handle) {
    const LockGuard guard(lock_);
    return system_events_.remove(handle);
  });
}

bool SystemCalls::update_staged() {
  const LockGuard guard(lock_);
  update_pending_ = true;
  return system_events_.post(notifications_, MV_SYSTEMNOTIFICATIONSOURCE_UPDATE, MV_EVENTTYPE_UPDATEDOWNLOADED);
}

// ---- restart ----

// In interrupts as well: a fault handler of the application has no better way out.
MvStatus SystemCalls::restart(std::uint32_t mode) {
  if (mode != MV_RESTARTMODE_AUTOAPPLYUPDATE) return MV_STATUS_PARAMETERFAULT;
  restart_ = true;
  board_.wake_secure_thread();
  return MV_STATUS_OKAY;
}

// In interrupts too: whatever proves to the application that it works may be one.
MvStatus SystemCalls::confirm_update() {
  confirmed_ = true;
  board_.wake_secure_thread();
  return MV_STATUS_OKAY;
}

MvStatus SystemCalls::get_update_status(std::uint32_t out) {
  const LockGuard guard(lock_);
  return put_words<3>(memory_, out, {update_.state, update_.bytes_done, update_.bytes_total});
}

void SystemCalls::set_update_status(const MvUpdateStatus& status) {
  const auto tenth = [](const MvUpdateStatus& of) {
    return of.bytes_total == 0 ? 0 : std::uint64_t{of.bytes_done} * 10 / of.bytes_total;
  };
  const LockGuard guard(lock_);
  const bool news = status.state != update_.state || tenth(status) != tenth(update_);
  update_ = status;
  if (!news) return;
  system_events_.post(notifications_, MV_SYSTEMNOTIFICATIONSOURCE_UPDATEPROGRESS, MV_EVENTTYPE_UPDATEPROGRESS);
}

MvStatus SystemCalls::get_wake_reason(std::uint32_t out) {
  if (board_.in_interrupt()) return MV_STATUS_UNAVAILABLE;
  const std::array<std::uint8_t, 1> reason = {static_cast<std::uint8_t>(wake_reason_)};  // the enum is one byte wide
  return memory_.copy_out(out, reason) ? MV_STATUS_OKAY : MV_STATUS_PARAMETERFAULT;
}

void SystemCalls::reset(MvWakeReason reason) {
  const LockGuard guard(lock_);
  notifications_.reset();
  system_events_.reset();
  network_requests_.reset();
  fast_interrupts_.reset();
  restart_ = false;
  confirmed_ = false;
  logging_ = false;
  used_network_ = false;
  wake_reason_ = reason;
  for (CallFamily* family : families_) family->reset();
}

// ---- fast interrupts ----

MvStatus SystemCalls::set_fast_interrupt(std::uint32_t irq) {
  return notifications_.uses(irq) ? MV_STATUS_INVALIDINTERRUPT : fast_interrupts_.set(irq);
}

MvStatus SystemCalls::disable_all_fast_interrupts() {
  fast_interrupts_.disable_all();
  return MV_STATUS_OKAY;
}

MvStatus SystemCalls::enable_all_fast_interrupts() {
  fast_interrupts_.enable_all();
  return MV_STATUS_OKAY;
}

// ---- registers of the Secure side ----

namespace {

// Null if the application may not even read it.
const RegisterAccess* find_register(GuestBoard& board, std::uint32_t address) {
  for (const RegisterAccess& access : board.shared_registers()) {
    if (access.address == address) return &access;
  }
  return nullptr;
}

}  // namespace

MvStatus SystemCalls::peek(std::uint32_t address, std::uint32_t out) {
  if (!memory_.writable(out, sizeof(std::uint32_t))) return MV_STATUS_PARAMETERFAULT;
  const RegisterAccess* access = find_register(board_, address);
  if (access == nullptr) return MV_STATUS_PERIPHERALACCESSFAULT;
  return put_u32(out, board_.read_register(address) & access->readable);
}

// Bits that are not the application's stay as they are, without a word about it.
MvStatus SystemCalls::poke(std::uint32_t address, std::uint32_t mask, std::uint32_t xor_value) {
  const RegisterAccess* access = find_register(board_, address);
  if (access == nullptr) return MV_STATUS_PERIPHERALACCESSFAULT;
  const LockGuard guard(lock_);
  const std::uint32_t before = board_.read_register(address);
  const std::uint32_t after = (before & ~mask) ^ xor_value;
  board_.write_register(address, (before & ~access->writable) | (after & access->writable));
  return MV_STATUS_OKAY;
}

// ---- power ----

MvStatus SystemCalls::power_save(std::uint32_t mode) {
  if (board_.in_interrupt()) return MV_STATUS_UNAVAILABLE;
  switch (mode) {
    case MV_POWERSAVINGMODE_SLEEP:
      board_.wait_for_interrupt();
      return MV_STATUS_OKAY;
    case MV_POWERSAVINGMODE_STOP0:
      return power_down(PowerDown::kStop0);
    case MV_POWERSAVINGMODE_STOP1:
      return power_down(PowerDown::kStop1);
    case MV_POWERSAVINGMODE_STOP2:
      return power_down(PowerDown::kStop2);
    case MV_POWERSAVINGMODE_STOP3:
      return power_down(PowerDown::kStop3);
    default:
      return MV_STATUS_PARAMETERFAULT;
  }
}

MvStatus SystemCalls::deep_sleep(std::uint32_t mode) {
  if (board_.in_interrupt()) return MV_STATUS_UNAVAILABLE;
  switch (mode) {
    case MV_DEEPSLEEPMODE_STANDBY:
      return power_down(PowerDown::kStandby);
    case MV_DEEPSLEEPMODE_SHUTDOWN:
      return power_down(PowerDown::kShutdown);
    default:
      return MV_STATUS_PARAMETERFAULT;
  }
}

// Not while the network is in use, or somebody asked for it: it would be lost.
MvStatus SystemCalls::power_down(PowerDown mode) {
  const LockGuard guard(lock_);
  if (connected_ || network_requests_.count() != 0 || !board_.power_down(mode)) return MV_STATUS_MICROVISORBUSY;
  return MV_STATUS_OKAY;
}

// ---- logging ----

MvStatus SystemCalls::server_logging_init(std::uint32_t buffer, std::uint32_t length) {
  if (buffer % kLogAlignment != 0) return MV_STATUS_INVALIDBUFFERALIGNMENT;
  if (length == 0 || length % kLogAlignment != 0) return MV_STATUS_INVALIDBUFFERSIZE;
  if (!memory_.writable(buffer, length)) return MV_STATUS_PARAMETERFAULT;
  logging_ = true;
  return MV_STATUS_OKAY;
}

MvStatus SystemCalls::server_log(std::uint32_t message, std::uint32_t length) {
  if (!logging_) return MV_STATUS_UNAVAILABLE;
  if (length > kMaxMessage) return MV_STATUS_LOGMESSAGETOOLONG;
  if (!log_.enabled()) return MV_STATUS_LOGGINGDISABLEDBYSERVER;
  switch (log_.append_from(memory_, message, length)) {
    case LogBuffer::Outcome::kNoRoom:
      return MV_STATUS_INVALIDBUFFERSIZE;
    case LogBuffer::Outcome::kBadAddress:
      return MV_STATUS_PARAMETERFAULT;
    case LogBuffer::Outcome::kKept:
      break;
  }
  board_.wake_secure_thread();
  return MV_STATUS_OKAY;
}

// ---- network ----

MvStatus SystemCalls::request_network(std::uint32_t params, std::uint32_t handle_out) {
  std::array<std::uint32_t, 3> words;
  if (!copy_words(memory_, params, words)) return MV_STATUS_PARAMETERFAULT;
  if (!memory_.writable(handle_out, sizeof(std::uint32_t))) return MV_STATUS_PARAMETERFAULT;
  const auto [version, centre, tag] = words;
  if (version != kRequestNetworkVersion) return MV_STATUS_UNSUPPORTEDSTRUCTUREVERSION;
  const LockGuard guard(lock_);
  if (centre != 0 && !notifications_.valid(static_cast<Handle>(centre))) return MV_STATUS_INVALIDHANDLE;
  const Handle handle = network_requests_.add(static_cast<Handle>(centre), tag, 0);
  if (handle == Handle::kNone) return MV_STATUS_TOOMANYELEMENTS;
  used_network_ = true;
  return put_u32(handle_out, static_cast<std::uint32_t>(handle));
}

MvStatus SystemCalls::release_network(std::uint32_t handle_in_out) {
  return close(handle_in_out, [this](Handle handle) {
    const LockGuard guard(lock_);
    return network_requests_.remove(handle);
  });
}

MvStatus SystemCalls::get_network_status(std::uint32_t handle, std::uint32_t out) {
  const LockGuard guard(lock_);
  if (!network_requests_.contains(static_cast<Handle>(handle))) return MV_STATUS_INVALIDHANDLE;
  return put_u32(out, connected_ ? MV_NETWORKSTATUS_CONNECTED : MV_NETWORKSTATUS_CONNECTING);
}

MvStatus SystemCalls::get_network_reasons(std::uint32_t reasons_out, std::uint32_t count_out) {
  if (!memory_.writable(reasons_out, 4) || !memory_.writable(count_out, 4)) return MV_STATUS_PARAMETERFAULT;
  const std::uint32_t time_unknown = device_clock_.wall_us() == 0 ? MV_NETWORKREASON_RTCNOTSET : 0U;
  const LockGuard guard(lock_);
  const std::uint32_t count = network_requests_.count();
  std::uint32_t reasons = reasons_ | time_unknown;
  if (count != 0) reasons |= MV_NETWORKREASON_USINGNETWORK;
  if (!used_network_) reasons |= MV_NETWORKREASON_NEVERUSEDNETWORKAPI;
  const MvStatus status = put_u32(reasons_out, reasons);
  return status == MV_STATUS_OKAY ? put_u32(count_out, count) : status;
}

void SystemCalls::set_reason(MvNetworkReason reason, bool applies) {
  const LockGuard guard(lock_);
  const auto bit = static_cast<std::uint32_t>(reason);
  reasons_ = applies ? reasons_ | bit : reasons_ & ~bit;
}

void SystemCalls::network_changed(bool connected) {
  const LockGuard guard(lock_);
  if (connected == connected_) return;
  connected_ = connected;
  network_requests_.post(notifications_, 0, MV_EVENTTYPE_NETWORKSTATUSCHANGED);
  system_events_.post(notifications_, MV_SYSTEMNOTIFICATIONSOURCE_NETWORK, MV_EVENTTYPE_NETWORKSTATUSCHANGED);
}

}  // namespace mv::app
