#include "cli/crash_session.h"

#include <csignal>
#include <ostream>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "cli/gdb_process.h"
#include "gdbserver/session/server.h"
#include "gdbserver/target/crash_target.h"

namespace mv::cli {
namespace {

namespace asio = boost::asio;

class CrashSession {
 public:
  CrashSession(Program& program, CrashPlan plan)
      : program_(program),
        elf_path_(plan.elf ? plan.elf->path : std::string()),
        start_gdb_(plan.start_gdb),
        target_(std::move(plan.crash), std::move(plan.label),
                plan.elf ? std::optional(std::move(plan.elf->image)) : std::nullopt, *scheduler_) {}

  Result run(std::uint16_t port) {
    auto server = gdb::Server::open(io_, *scheduler_, target_, port);
    if (!server) return fail(ExitCode::kFailed, server.error().text);
    server_ = std::move(*server);
    announce();
    server_->serve();
    wait_for_signals();
    if (start_gdb_)
      if (auto started = gdb_.start(server_->port(), elf_path_, [this] { end(); }); !started) return started;
    io_.run();
    return {};
  }

 private:
  void announce() {
    Output& output = program_.output();
    output.record({{"listening", server_->port()}}, fmt::format("Listening on port {}", server_->port()));
    output.terminal().out->flush();
    if (start_gdb_) return;
    output.note(fmt::format("          gdb-multiarch {} -ex 'target remote :{}'",
                            elf_path_.empty() ? "YOUR.elf" : elf_path_, server_->port()));
    output.note("          Ctrl-C here ends the session");
  }

  void wait_for_signals() {
    signals_.async_wait([this](auto error, int signal) {
      if (error) return;
      if (gdb_.running() && signal == SIGINT) return wait_for_signals();  // Ctrl-C is meant for GDB
      end();
    });
  }

  void end() {
    if (std::exchange(ending_, true)) return;
    server_->stop([this] { io_.stop(); });
  }

  Program& program_;
  std::string elf_path_;
  bool start_gdb_;
  asio::io_context io_;
  asio::signal_set signals_{io_, SIGINT, SIGTERM};
  std::unique_ptr<gdb::Scheduler> scheduler_ = gdb::make_scheduler(io_);
  GdbProcess gdb_{io_};
  gdb::CrashTarget target_;
  std::unique_ptr<gdb::Server> server_;
  bool ending_ = false;
};

}  // namespace

Result serve_crash(Program& program, CrashPlan plan) {
  const std::uint16_t port = plan.port;
  return CrashSession(program, std::move(plan)).run(port);
}

}  // namespace mv::cli
