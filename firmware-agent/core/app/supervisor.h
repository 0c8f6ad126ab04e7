// The supervisor: starts the application, brings it back after a crash, restarts it when it, the cloud or the debugger
// asks, and lets the update engine change it.
//
// Everything on the Secure thread but `on_crash` and `on_reflected`, which the exception entry calls. Does not own what
// it is given.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

#include "core/app/crash_store.h"
#include "core/app/log_buffer.h"
#include "core/app/system_calls.h"
#include "core/debug/peers.h"
#include "core/link/peers.h"
#include "core/platform/application.h"
#include "core/platform/debug_unit.h"
#include "core/storage/record_store.h"
#include "core/update/microvisor_updater.h"
#include "core/update/signer_keys.h"
#include "core/update/update_engine.h"

namespace mv::app {

class Supervisor final : public debug::Supervisor,
                         public link::UpdateControl,
                         public update::ApplicationHost,
                         public update::MicrovisorHost {
 public:
  // Of the bundle's crash policy, where it says nothing.
  static constexpr std::uint32_t kMinimumRestartMs = 1'000;
  static constexpr std::uint32_t kMaximumRestartMs = 60'000;
  static constexpr std::uint64_t kStableUs = 60'000'000;  // a crash after so long begins the back-off anew
  static constexpr std::uint32_t kMaxStackBytes = 512;    // in a crash record
  static constexpr std::uint32_t kDefaultStackBytes = 256;

  struct Ports {
    Flash& flash;
    Clock& clock;
    Application& application;
    debug::ApplicationMemory& memory;
    update::UpdateEngine& engine;
    update::MicrovisorUpdater& microvisor;
    update::SignerKeys& keys;
    SystemCalls& calls;
    CrashStore& crashes;
    LogBuffer& log;
    link::EventSink& events;
  };

  explicit Supervisor(const Ports& ports);

  // Once, after the crash store was mounted: boots the update engine and starts what is installed.
  // `run_unsigned`: a device that was never provisioned runs whatever image its flash holds.
  void boot(MvWakeReason reason, bool run_unsigned);

  // One step of everything here and of the update engine. True if there is more to do at once.
  bool poll();

  // The application has done what it was for, and does not run any more until the device boots again.
  void end_application();

  // When `poll` has something to do although nothing happens.
  std::uint64_t next_deadline_us() const;

  // The application ended in a fault. Called in the exception entry: notes it, nothing more.
  void on_crash(debug::Event event, const debug::Context& context, const debug::FaultRegisters& fault);

  // A fault was given to the application's own handler. Likewise.
  void on_reflected(debug::Event event, const debug::Context& context, const debug::FaultRegisters& fault);

  // The debugger holds the application, or lets it go.
  void set_halted(bool halted);

  // Of the microvisor, kept in flash.
  std::uint32_t boot_count() const { return boot_count_; }
  std::uint32_t restarts() const { return restarts_; }
  MvWakeReason wake_reason() const { return boot_reason_; }

  // debug::Supervisor
  bool running_bundle(debug::RunningBundle& out) override;
  bool restart_for_debugger() override;
  bool waits_for_restart() const override { return state_ == State::kCrashed; }

  // link::UpdateControl
  void on_desired(const mv_wire_Desired& desired) override;
  void report(mv_wire_AppReport& out) override;
  std::uint32_t report_version() const override {
    return version_ + engine_.report_version() + microvisor_.report_version();
  }
  void on_key_change(std::span<const std::uint8_t> message) override;
  void report_keys(mv_wire_KeysReport& out) override;

  // update::ApplicationHost
  bool application_runs() override { return state_ == State::kRunning; }
  bool application_held() override { return halted_; }
  void stop_for_install() override;
  void install_ended(bool installed) override;
  void update_withdrawn() override { calls_.update_gone(); }

  // update::MicrovisorHost, beside what it has in common with the above
  bool no_time_to_restart() override;
  std::uint32_t politeness_sec() override;

 private:
  enum class State : std::uint8_t { kNone, kRunning, kCrashed, kInstalling };

  bool start(MvWakeReason reason);
  bool may_start() const { return engine_.running() != nullptr || run_unsigned_; }
  void record_crash();
  void report_reflected();
  void fill_stack(mv_wire_CrashReport& report);
  void fill_regions(mv_wire_CrashReport& report);
  void begin_back_off();
  void restart_by_cloud();
  void tell_of_update();
  void enter(State state);

  Clock& clock_;
  Application& application_;
  debug::ApplicationMemory& memory_;
  update::UpdateEngine& engine_;
  update::MicrovisorUpdater& microvisor_;
  update::SignerKeys& keys_;
  SystemCalls& calls_;
  CrashStore& crashes_;
  LogBuffer& log_;
  link::EventSink& events_;
  storage::RecordsOf<2> counters_;

  State state_ = State::kNone;
  bool run_unsigned_ = false;
  bool halted_ = false;
  bool halted_reported_ = false;
  std::uint64_t halt_settles_at_us_ = std::numeric_limits<std::uint64_t>::max();  // when a change is worth a report
  MvWakeReason boot_reason_ = MV_WAKEREASON_COLDBOOT;
  std::uint32_t boot_count_ = 0;
  std::uint32_t restarts_ = 0;
  std::uint64_t restart_done_ = 0;  // the cloud's restart generation that was carried out last
  std::uint64_t restart_wanted_ = 0;
  bool restart_known_ = false;
  std::uint64_t started_us_ = 0;
  std::uint64_t restart_at_us_ = 0;  // while crashed
  std::uint32_t back_off_ms_ = 0;    // of the last crash
  std::uint32_t version_ = 0;
  std::uint32_t told_version_ = 0;  // of the update engine's report, when the application heard of it

  // What the last change of keys was, and what became of it.
  struct KeyAnswer {
    update::Hash message{};  // SHA-256
    bool any = false;
    mv_wire_KeyChangeError error = mv_wire_KeyChangeError_KEYS_OK;
  };
  KeyAnswer key_answer_;

  // What on_crash and on_reflected noted.
  struct Note {
    std::atomic<bool> fresh = false;
    debug::Event event = debug::Event::kFault;
    debug::Context context;
    debug::FaultRegisters registers;

    void take(debug::Event what, const debug::Context& where, const debug::FaultRegisters& fault);
  };
  Note crash_;
  Note reflected_;
  std::atomic<std::uint32_t> reflected_count_ = 0;  // since the last report of one
  std::uint64_t report_reflected_at_us_ = 0;
  mv_wire_CrashReport crash_report_{};
};

}  // namespace mv::app
