// A crash as a debug target: registers and stack from the record, flash from the ELF, and nothing moves any more.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gdbserver/target/crash.h"
#include "gdbserver/target/elf_image.h"
#include "gdbserver/target/scheduler.h"
#include "gdbserver/target/target.h"

namespace mv::gdb {

class CrashTarget final : public Target {
 public:
  // `label` names the crash for `monitor status`: "crash 7 of porch". `image` is the ELF of the build that crashed, if
  // there is one. `scheduler` outlives the target.
  CrashTarget(Crash crash, std::string label, std::optional<ElfImage> image, Scheduler& scheduler);

  void attach(Handler<Stop> handler) override;
  void detach(Handler<void> handler) override;
  const std::vector<Region>& regions() const override { return regions_; }
  // Gives what is known from `address` on, which may be less than `length` but is at least a byte.
  //
  // Errors: kBadAddress, with what is known instead.
  void read(std::uint32_t address, std::uint32_t length, Handler<Bytes> handler) override;
  void peek(std::uint32_t address, std::uint32_t length, Handler<Bytes> handler) override;
  Stop last_stop() const override;

  // A crash has little more than the stack of who crashed: there are no threads to be shown.
  void gather(std::vector<MemoryCache::Span> pieces, Handler<std::vector<Bytes>> handler) override {
    answer<std::vector<Bytes>>(std::move(handler), std::vector<Bytes>(pieces.size()));
  }
  void expect(std::vector<MemoryCache::Span>) override {}
  std::shared_ptr<const rtos::System> rtos() const override { return nullptr; }

  // All of these are refused with kUnsupported.
  void write(std::uint32_t address, Bytes bytes, Handler<void> handler) override;
  void write_registers(const arm::RegisterFile& registers, Handler<void> handler) override;
  void resume(const ResumePlan& plan, Handler<Stop> handler) override;
  void reset(Handler<Stop> handler) override;
  void load(FlashContent content, Handler<Loaded> handler) override;
  Result<void> insert_breakpoint(std::uint32_t address, const BreakpointProgram& program) override;
  Result<void> insert_watchpoint(const Watchpoint& watchpoint) override;

  void interrupt() override {}
  void remove_breakpoint(std::uint32_t) override {}
  void remove_watchpoint(const Watchpoint&) override {}
  std::string watch_help() const override { return ""; }
  ProgramLimits program_limits() const override { return {}; }
  WatchSupport watch_support() const override { return {}; }
  std::string elf_path() const override { return image_ ? image_->path : std::string(); }
  std::string status() const override;
  void on_notice(std::function<void(const std::string&)>) override {}
  void on_console(std::function<void(const std::string&)>) override {}

 private:
  Bytes known(std::uint32_t address, std::uint32_t length) const;
  std::string what_is_known() const;

  template <class T>
  void answer(Handler<T> handler, Result<T> result) {
    scheduler_.post([handler = std::move(handler), result = std::move(result)] { handler(result); });
  }

  Crash crash_;
  std::string label_;
  std::optional<ElfImage> image_;
  Scheduler& scheduler_;
  std::vector<Region> regions_;
};

}  // namespace mv::gdb
