#include "cli/debug_session.h"

#include <chrono>
#include <csignal>
#include <thread>

#include <fmt/format.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include "cli/agent_connection.h"
#include "cli/flash_cache.h"
#include "cli/gdb_process.h"
#include "cli/program_delivery.h"
#include "gdbserver/session/server.h"
#include "gdbserver/target/agent_target.h"

namespace mv::cli {
namespace {

namespace asio = boost::asio;

// How long the device is given to let its application run when we leave. It does so by itself in the end.
constexpr std::chrono::seconds kFarewell{5};

class Session final : public DebugSession {
 public:
  explicit Session(Program& program) : program_(program) {}
  Result listen(std::uint16_t port) {
    auto server = gdb::Server::open(io_, *scheduler_, front_, port);
    if (!server) return fail(ExitCode::kFailed, server.error().text);
    server_ = std::move(*server);
    return {};
  }

  std::uint16_t port() const override { return server_->port(); }

  Result run(std::function<Result(DebugPlan&)> make_plan) override {
    const auto work = asio::make_work_guard(io_);
    std::thread planner([this, &make_plan] {
      Result planned = make_plan(plan_);
      asio::post(io_, [this, planned = std::move(planned)] { begin(planned); });
    });
    io_.run();
    planner.join();
    return result_;
  }

  Result run_over_line(const LineChoice& choice, DebugPlan plan, FinishPlan finish_plan) override {
    auto board = open_board_line(io_, choice, "see mvctl usb list");
    if (!board) return tl::make_unexpected(board.error());
    board_ = *std::move(board);
    plan_ = std::move(plan);
    line_ =
        std::make_unique<DebugLine>(io_, std::move(board_.line), [this](const usb::Error& error) { unplugged(error); });
    line_->call([this, &finish_plan](tl::expected<DebugLine::Call, gdb::AgentLink::Lost> call) {
      if (!call) return end(tl::make_unexpected(unanswered(call.error().error)));
      // The call ends here, and the session makes its own: by then the plan knows whom it has to expect.
      begin(finish_plan(plan_, call->greeting, board_.label));
    });
    io_.run();
    return result_;
  }

 private:
  Failure unanswered(const gdb::Error& error) const {
    const bool is_silent = error.code == gdb::ErrorCode::kTimeout || error.code == gdb::ErrorCode::kUnsupported;
    return {exit_code(error.code), board_.label + ": " + printable(error.text), is_silent ? line_->hint() : ""};
  }

  void unplugged(const usb::Error& error) {
    const bool gone = error.problem == usb::Problem::kGone;
    end(fail(ExitCode::kDeviceOffline,
             board_.label + (gone ? " was unplugged" : "'s line is lost: " + printable(error.text)),
             "plug it in and run the same command again"));
  }

  void begin(Result planned) {
    if (!planned) return end(std::move(planned));
    auto connection = AgentConnection::prepare(io_, *scheduler_, plan_, line_.get());
    if (!connection) return end(tl::make_unexpected(connection.error()));
    connection_ = std::move(*connection);
    connect();
    wait_for_signals();
  }

  void connect() {
    target_ = std::make_unique<gdb::AgentTarget>(connection_->client());
    // A program is deployed through the cloud.
    if (!line_) {
      target_->deliver_by([this](gdb::FlashContent content, gdb::Handler<gdb::AgentTarget::Delivered> handler) {
        delivery_.start({plan_.context, plan_.device_id, plan_.sign_key, plan_.elf_path}, std::move(content),
                        std::move(handler));
      });
    }
    target_->keep_flash_in(flash_cache_, std::move(plan_.measured));
    front_.delivery = &delivery_;
    front_.target = target_.get();
    front_.output = &program_.output();
    front_.on_notice(nullptr);
    target_->probe(std::move(plan_.image), [this](gdb::Result<gdb::DeviceFacts> facts) {
      if (!facts) return end(tl::make_unexpected(probe_failure(facts.error())));
      ready();
    });
  }

  Failure probe_failure(const gdb::Error& error) const {
    Failure failure = device_failure(error, plan_.label);
    const bool is_offline = failure.code == ExitCode::kDeviceOffline;
    if (line_ && is_offline) failure.hint = "press the board's RESET button and run the same command again";
    return failure;
  }

  void ready() {
    program_.output().step(
        "session", "end-to-end encrypted with key " + plan_.key_name +
                       (plan_.read_only ? "; read only, the application runs on" : "; halting when GDB connects"));
    if (target_->trusted_flash() != 0)
      program_.output().step("flash",
                             fmt::format("{} bytes of the ELF are what the device runs", target_->trusted_flash()));
    server_->serve(plan_.read_only);
    if (plan_.start_gdb) return start_gdb();
    const std::string elf = plan_.elf_path.empty() ? "YOUR.elf" : plan_.elf_path;
    program_.output().note(fmt::format("          gdb-multiarch {} -ex 'target remote :{}'", elf, port()));
    program_.output().note("          Ctrl-C here ends the session and lets the application run");
  }

  void start_gdb() {
    if (auto started = gdb_.start(port(), plan_.elf_path, [this] { end({}); }); !started) end(started);
  }

  void wait_for_signals() {
    signals_.async_wait([this](auto error, int signal) {
      if (error) return;
      if (gdb_.running() && signal == SIGINT) return wait_for_signals();  // Ctrl-C is meant for GDB
      end({});
    });
  }

  // The application is let run; a device that cannot be told does so by itself.
  void end(Result result) {
    if (ending_) return;
    ending_ = true;
    if (target_) target_->save_flash();
    result_ = std::move(result);
    farewell_ = scheduler_->after(kFarewell, [this] { io_.stop(); });
    server_->stop([this] {
      if (connection_) connection_->client().close();
      if (!line_) return io_.stop();
      line_->hang_up([this] { io_.stop(); });
    });
  }

  // Stands before the target because the port is open before there is one.
  struct Front final : gdb::Target {
    void attach(gdb::Handler<gdb::Stop> h) override { target->attach(std::move(h)); }
    void detach(gdb::Handler<void> h) override {
      delivery->give_up();
      target->detach(std::move(h));
    }
    const std::vector<gdb::Region>& regions() const override { return target->regions(); }
    void read(std::uint32_t a, std::uint32_t n, gdb::Handler<gdb::Bytes> h) override {
      target->read(a, n, std::move(h));
    }
    void gather(std::vector<gdb::MemoryCache::Span> p, gdb::Handler<std::vector<gdb::Bytes>> h) override {
      target->gather(std::move(p), std::move(h));
    }
    void expect(std::vector<gdb::MemoryCache::Span> p) override { target->expect(std::move(p)); }
    std::shared_ptr<const gdb::rtos::System> rtos() const override { return target->rtos(); }
    void peek(std::uint32_t a, std::uint32_t n, gdb::Handler<gdb::Bytes> h) override {
      target->peek(a, n, std::move(h));
    }
    gdb::Stop last_stop() const override { return target->last_stop(); }
    void write(std::uint32_t a, gdb::Bytes b, gdb::Handler<void> h) override {
      target->write(a, std::move(b), std::move(h));
    }
    void write_registers(const gdb::arm::RegisterFile& r, gdb::Handler<void> h) override {
      target->write_registers(r, std::move(h));
    }
    void resume(const gdb::ResumePlan& p, gdb::Handler<gdb::Stop> h) override { target->resume(p, std::move(h)); }
    void interrupt() override { target->interrupt(); }
    void reset(gdb::Handler<gdb::Stop> h) override { target->reset(std::move(h)); }
    void load(gdb::FlashContent c, gdb::Handler<gdb::Loaded> h) override { target->load(std::move(c), std::move(h)); }
    gdb::Result<void> insert_breakpoint(std::uint32_t a, const gdb::BreakpointProgram& p) override {
      return target->insert_breakpoint(a, p);
    }
    void remove_breakpoint(std::uint32_t a) override { target->remove_breakpoint(a); }
    std::string elf_path() const override { return target->elf_path(); }
    gdb::Result<void> insert_watchpoint(const gdb::Watchpoint& w) override { return target->insert_watchpoint(w); }
    void remove_watchpoint(const gdb::Watchpoint& w) override { target->remove_watchpoint(w); }
    std::string watch_help() const override { return target->watch_help(); }
    gdb::ProgramLimits program_limits() const override { return target->program_limits(); }
    gdb::WatchSupport watch_support() const override { return target->watch_support(); }
    std::string status() const override {
      return target->status() + (delivery->last().empty() ? "" : "last load    " + delivery->last() + "\n");
    }
    void on_notice(std::function<void(const std::string&)> h) override {
      target->on_notice([this, h = std::move(h)](const std::string& text) {
        output->step("link", text);
        if (h) h(text);
      });
    }
    void on_console(std::function<void(const std::string&)> h) override { target->on_console(std::move(h)); }
    gdb::Target* target = nullptr;
    ProgramDelivery* delivery = nullptr;
    Output* output = nullptr;
  };

  Program& program_;
  DebugPlan plan_;
  asio::io_context io_;
  asio::signal_set signals_{io_, SIGINT, SIGTERM};
  std::unique_ptr<gdb::Scheduler> scheduler_ = gdb::make_scheduler(io_);
  Front front_;
  BoardLine board_;  // its line belongs to `line_`
  std::unique_ptr<DebugLine> line_;
  std::unique_ptr<AgentConnection> connection_;
  FlashCache flash_cache_{cache_folder() / "flash"};
  std::unique_ptr<gdb::AgentTarget> target_;
  std::unique_ptr<gdb::Server> server_;
  ProgramDelivery delivery_{io_, program_.output()};
  std::unique_ptr<gdb::Scheduler::Timer> farewell_;
  GdbProcess gdb_{io_};
  bool ending_ = false;
  Result result_;
};

}  // namespace

tl::expected<std::unique_ptr<DebugSession>, Failure> DebugSession::open(Program& program, std::uint16_t port) {
  auto session = std::make_unique<Session>(program);
  if (auto listening = session->listen(port); !listening) return tl::make_unexpected(listening.error());
  return std::unique_ptr<DebugSession>(std::move(session));
}

}  // namespace mv::cli
