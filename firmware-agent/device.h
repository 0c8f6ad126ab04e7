// Every part of the microvisor, put together: who knows whom, and the loop of the Secure thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "arch/cortex-m33/guest.h"
#include "arch/cortex-m33/world.h"
#include "boards/board.h"
#include "core/app/crash_store.h"
#include "core/app/guest_calls.h"
#include "core/app/log_buffer.h"
#include "core/app/supervisor.h"
#include "core/app/wall_clock.h"
#include "core/debug/agent.h"
#include "core/debug/channel.h"
#include "core/debug/engine.h"
#include "core/link/any_modem.h"
#include "core/link/link_agent.h"
#include "core/link/session_store.h"
#include "core/link/wifi_store.h"
#include "core/storage/restart_note.h"
#include "core/update/identity_store.h"
#include "core/update/image_crypto.h"
#include "core/update/microvisor_updater.h"
#include "core/update/signature.h"
#include "core/update/update_engine.h"

namespace mv {

class Device {
 public:
  struct Mode {
    bool link;          // identity and entropy are there
    bool run_unsigned;  // the device was never provisioned: it runs what its flash holds
  };

  // After board::set_up and tls::set_up, on the Secure thread. `identity` is loaded.
  Device(const update::IdentityStore& identity, const Mode& mode);

  // Never returns.
  [[noreturn]] void run();

 private:
  // The application's run control, which tells the debugger when what it looks at is gone.
  class RunControl final : public Application {
   public:
    explicit RunControl(Device& device) : device_(device) {}
    bool start() override;
    void stop() override;
    void reflect_faults(bool wanted) override { board::world().reflect_faults(wanted); }
    bool running() const override { return board::world().running(); }

   private:
    Device& device_;
  };

  // What the application writes by semihosting is its log.
  class SemihostingLog final : public debug::LineLog {
   public:
    explicit SemihostingLog(Device& device) : device_(device) {}
    void application_wrote(std::string_view line) override;

   private:
    Device& device_;
  };

  class CrashPath final : public arch::CrashListener {
   public:
    explicit CrashPath(Device& device) : device_(device) {}
    void on_crash(debug::Event event, const debug::Context& context, const debug::FaultRegisters& fault) override;
    void on_reflected(debug::Event event, const debug::Context& context, const debug::FaultRegisters& fault) override;

   private:
    Device& device_;
  };

  // The Wi-Fi network of the identity.
  // The network that the application set, else the one of provisioning.
  class KnownWifi final : public link::WifiNetworks {
   public:
    KnownWifi(const mv_wire_Identity& identity, const link::WifiStore& store) : identity_(identity), store_(store) {}
    link::WifiCredentials credentials() const override;

   private:
    const mv_wire_Identity& identity_;
    const link::WifiStore& store_;
  };

  class StackMeter final : public link::ResourceMeter {
   public:
    void measure(mv_wire_Resources& out) override;
  };

  // Another microvisor takes over.
  class UpdateRestart final : public update::DeviceRestart {
   public:
    void restart(std::string_view why) override;
  };

  void boot();
  bool poll();
  std::uint64_t next_deadline_us() const;
  void report_link();
  void end_test(std::uint32_t verdict);

  Mode mode_;
  storage::Restart restart_;  // why the microvisor boots
  image::Started started_;    // which one, and whether on trial
  image::VersionText version_;
  MvWakeReason wake_reason_;
  std::array<char, 160> boot_text_{};
  const mv_wire_Identity& identity_;
  link::CloudAddress address_;
  link::DeviceInfo info_;

  arch::SwitchLock lock_;
  arch::CheckedMemory guest_memory_;
  arch::NvicGuest guest_board_;
  app::DeviceClock device_clock_;
  app::LogBuffer log_;
  link::WifiStore wifi_;
  app::GuestCalls guest_calls_;
  app::SystemCalls& calls_ = guest_calls_.system;
  app::CrashStore crashes_;
  StackMeter meter_;
  link::FlashSessionStore sessions_;
  update::SignerKeys signer_keys_;
  RunControl run_control_;
  CrashPath crash_path_;
  SemihostingLog semihosting_log_;

  debug::Engine engine_;
  // The link, the update engine, the supervisor and the debug channel know each other in a ring; each keeps references
  // only, and uses them when it is polled.
  KnownWifi known_wifi_;
  link::AnyModem modem_;
  link::LinkAgent link_;
  update::UpdateEngine update_;
  update::ImageCrypto image_crypto_;
  UpdateRestart update_restart_;
  update::MicrovisorUpdater microvisor_;
  app::Supervisor supervisor_;
  debug::Agent agent_;
  debug::Channel channel_;

  bool connected_ = false;
};

}  // namespace mv
