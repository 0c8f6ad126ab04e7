// The system calls, as arguments in and a status out: what each does is in docs/system-calls.md.
//
// Addresses are the application's and are checked by GuestMemory with each access; a refused one is
// MV_STATUS_PARAMETERFAULT. Everything here runs in the Non-secure world's context, possibly inside an interrupt, and
// never waits. What needs the Secure thread is left for it: see `take_restart`.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/app/call_family.h"
#include "core/app/fast_interrupts.h"
#include "core/app/log_buffer.h"
#include "core/app/notifications.h"
#include "core/app/wall_clock.h"
#include "core/link/peers.h"
#include "core/platform/application.h"
#include "core/platform/guest.h"
#include "sdk/include/mv_syscalls.h"

namespace mv::app {

class SystemCalls final : public Notifier, public link::LinkObserver {
 public:
  static constexpr std::uint32_t kDeviceIdSize = 34;
  static constexpr std::uint32_t kLogAlignment = 512;  // of the buffer that mvServerLoggingInit is given
  static constexpr std::uint32_t kMaxMessage = 1024;   // bytes of one log message

  SystemCalls(GuestMemory& memory, GuestBoard& board, Clock& clock, DeviceClock& device_clock, LogBuffer& log,
              Lock& lock)
      : memory_(memory),
        board_(board),
        device_clock_(device_clock),
        log_(log),
        lock_(lock),
        notifications_(memory, board, clock, lock),
        fast_interrupts_(memory, board, lock) {}

  // `id`: 34 characters, must outlive this object.
  void set_device_id(std::span<const char> id) { device_id_ = id; }

  // The other families of calls, which start afresh with this one. Must outlive this object.
  void set_families(std::span<CallFamily* const> families) { families_ = families; }

  // ---- the calls ----
  MvStatus get_microseconds(std::uint32_t out);
  MvStatus get_wall_time(std::uint32_t out);
  MvStatus get_sys_clk(std::uint32_t out) { return put_u32(out, board_.clock_rates().sysclk); }
  MvStatus get_h_clk(std::uint32_t out) { return put_u32(out, board_.clock_rates().hclk); }
  MvStatus get_p_clk1(std::uint32_t out) { return put_u32(out, board_.clock_rates().pclk1); }
  MvStatus get_p_clk2(std::uint32_t out) { return put_u32(out, board_.clock_rates().pclk2); }
  MvStatus get_device_id(std::uint32_t out, std::uint32_t length);
  MvStatus system_led_enable(std::uint32_t enable);

  MvStatus setup_notifications(std::uint32_t setup, std::uint32_t handle_out);
  MvStatus close_notifications(std::uint32_t handle_in_out);
  MvStatus trigger_notification(std::uint32_t handle, std::uint32_t type, std::uint32_t tag);
  MvStatus open_system_notification(std::uint32_t params, std::uint32_t handle_out);
  MvStatus close_system_notification(std::uint32_t handle_in_out);

  MvStatus restart(std::uint32_t mode);
  MvStatus confirm_update();
  MvStatus get_update_status(std::uint32_t out);
  MvStatus get_wake_reason(std::uint32_t out);

  MvStatus set_fast_interrupt(std::uint32_t irq);
  MvStatus clear_fast_interrupt(std::uint32_t irq) { return fast_interrupts_.clear(irq); }
  MvStatus enable_fast_interrupt(std::uint32_t irq) { return fast_interrupts_.enable(irq); }
  MvStatus disable_fast_interrupt(std::uint32_t irq) { return fast_interrupts_.disable(irq); }
  MvStatus disable_all_fast_interrupts();
  MvStatus enable_all_fast_interrupts();

  MvStatus peek(std::uint32_t address, std::uint32_t out);
  MvStatus poke(std::uint32_t address, std::uint32_t mask, std::uint32_t xor_value);

  MvStatus power_save(std::uint32_t mode);
  MvStatus deep_sleep(std::uint32_t mode);

  MvStatus server_logging_init(std::uint32_t buffer, std::uint32_t length);
  MvStatus server_log(std::uint32_t message, std::uint32_t length);

  MvStatus request_network(std::uint32_t params, std::uint32_t handle_out);
  MvStatus release_network(std::uint32_t handle_in_out);
  MvStatus get_network_status(std::uint32_t handle, std::uint32_t out);
  MvStatus get_network_reasons(std::uint32_t reasons_out, std::uint32_t count_out);

  // ---- for other families of calls, under the lock or not ----

  bool notifications_open(Handle centre) { return notifications_.valid(centre); }
  bool network_requested(Handle request) {
    const LockGuard guard(lock_);
    return network_requests_.contains(request);
  }

  // ---- for the Secure thread ----

  // The application is about to start afresh: it holds nothing.
  void reset(MvWakeReason reason);

  // True once for each mvRestart.
  bool take_restart() { return restart_.exchange(false); }

  // True once for each mvConfirmUpdate.
  bool take_confirmation() { return confirmed_.exchange(false); }

  // What mvGetUpdateStatus says from now on; tells who asked for it, if the state or a tenth of the download is new.
  void set_update_status(const MvUpdateStatus& status);

  // Sets or clears one of the reasons that mvGetNetworkReasons shows.
  void set_reason(MvNetworkReason reason, bool applies);

  // Notifier, link::LinkObserver.
  bool update_staged() override;
  void network_changed(bool connected) override;
  void link_changed(bool connected) override { network_changed(connected); }

  // No update is staged any more: whoever subscribes from now on is not told of it.
  void update_gone() { update_pending_ = false; }

 private:
  MvStatus put_u32(std::uint32_t out, std::uint32_t value);
  MvStatus power_down(PowerDown mode);
  MvStatus put_u64(std::uint32_t out, std::uint64_t value);
  bool get_u32(std::uint32_t from, std::uint32_t& value);
  template <typename Remove>
  MvStatus close(std::uint32_t handle_in_out, Remove remove);

  GuestMemory& memory_;
  GuestBoard& board_;
  DeviceClock& device_clock_;
  LogBuffer& log_;
  Lock& lock_;
  Notifications notifications_;
  FastInterrupts fast_interrupts_;
  Subscriptions<8> system_events_{HandleKind::kSystemEvent};
  Subscriptions<16> network_requests_{HandleKind::kNetwork};
  std::span<const char> device_id_;
  std::span<CallFamily* const> families_;
  std::atomic<bool> restart_ = false;
  std::atomic<bool> confirmed_ = false;
  MvUpdateStatus update_{};
  MvWakeReason wake_reason_ = MV_WAKEREASON_COLDBOOT;
  std::uint32_t reasons_ = 0;
  bool connected_ = false;
  bool used_network_ = false;
  bool logging_ = false;
  bool update_pending_ = false;
};

}  // namespace mv::app
