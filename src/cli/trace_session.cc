#include "cli/trace_session.h"

#include <csignal>
#include <deque>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "cli/agent_connection.h"
#include "cli/trace_gdb.h"
#include "cli/trace_printer.h"
#include "gdbserver/session/server.h"

namespace mv::cli {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kFarewell{5};  // for the device to take the tracepoint out when we leave
constexpr std::size_t kMostWaiting = 10'000;  // hits that GDB has not printed yet

// Written as one sequence of steps; each waits for its answer by serving the event loop.
class TraceSession {
 public:
  TraceSession(Program& program, TracePlan plan) : program_(program), plan_(std::move(plan)) {}

  Result run() {
    if (auto ready = compile(); !ready) return ready;
    auto connection = AgentConnection::prepare(io_, *scheduler_, plan_.debug);
    if (!connection) return tl::make_unexpected(connection.error());
    connection_ = std::move(*connection);
    listen();
    Result result = attach();
    if (result) result = trace();
    end();
    return result;
  }

 private:
  gdb::AgentClient& client() { return connection_->client(); }

  void serve_one() {
    if (io_.stopped()) io_.restart();
    io_.run_one();
  }

  Result compile() {
    auto gdb = TraceGdb::start(io_, plan_.debug.elf_path);
    if (!gdb) return tl::make_unexpected(gdb.error());
    gdb_ = std::move(*gdb);
    auto place = gdb_->place(plan_.location, plan_.condition);
    if (!place) return tl::make_unexpected(place.error());
    place_ = std::move(*place);
    auto definition = gdb_->compile(plan_.expressions);
    if (!definition) return tl::make_unexpected(definition.error());
    definition_ = std::move(*definition);
    return {};
  }

  void listen() {
    signals_.async_wait([this](auto error, int) { leaving_ = leaving_ || !error; });
    client().on_notice = [this](const std::string& text) { program_.output().step("link", text); };
    client().on_trace = [this](const wire::TraceRecords& records) { take(records); };
    client().on_console = [this](const wire::ConsoleText& text) { program_.output().warning(printable(text.text())); };
  }

  Result attach() {
    std::optional<gdb::Result<wire::Attached>> attached;
    client().attach(false, [&](gdb::Result<wire::Attached> answer) { attached = std::move(answer); });
    while (!attached && !leaving_) serve_one();
    if (!attached) return {};
    if (!*attached) return tl::make_unexpected(device_failure(attached->error(), plan_.debug.label));
    return check_limits((*attached)->capabilities());
  }

  Result check_limits(const wire::Capabilities& device) {
    std::size_t expressions = 0, bytes = 0;
    for (const auto& [address, point] : definition_.points()) {
      expressions += point.expressions();
      bytes += point.bytes();
    }
    if (device.max_record() == 0)
      return fail(ExitCode::kRefusedByDevice, plan_.debug.label + " has a microvisor that cannot trace", "update it");
    if (expressions > device.max_programs() || bytes > device.max_program_bytes())
      return fail(ExitCode::kRefusedByDevice,
                  fmt::format("{} is too much to collect: {} programs of {} bytes, {} has room for {} of {}", place_,
                              expressions, bytes, plan_.debug.label, device.max_programs(), device.max_program_bytes()),
                  "trace fewer expressions at once");
    return {};
  }

  wire::AgentRequest request() const {
    wire::AgentRequest request;
    const auto text = [](const rsp::Bytes& bytes) { return std::string(bytes.begin(), bytes.end()); };
    for (const auto& [address, point] : definition_.points()) {
      auto& program = *request.mutable_trace()->add_programs();
      program.set_address(address);
      if (!point.condition.empty()) program.add_conditions(text(point.condition));
      for (const auto& code : point.collect) program.add_collect(text(code));
      program.set_registers(std::string(point.registers.begin(), point.registers.end()));
    }
    return request;
  }

  Result trace() {
    if (leaving_) return {};
    client().call(request(), [this](gdb::Result<wire::AgentReply> reply) { ended_ = std::move(reply); });
    while (!leaving_ && !ended_) {
      serve_one();
      if (auto shown = show(); !shown) return shown;
    }
    if (auto shown = show(); !shown) return shown;
    return ended_ ? why_it_ended() : Result{};
  }

  Result why_it_ended() {
    if (!*ended_) return tl::make_unexpected(device_failure(ended_->error(), plan_.debug.label));
    if (!(*ended_)->has_stopped()) return {};
    return fail(ExitCode::kFailed, "the application ended, and the trace with it",
                "why:  mvctl crashes show " + plan_.debug.label);
  }

  void take(const wire::TraceRecords& records) {
    if (!std::exchange(begun_, true)) begin();
    const auto& bytes = records.records();
    const auto hits = gdb::parse_records({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    if (!hits) {
      ended_ = gdb::failure(gdb::ErrorCode::kProtocol, "the device sent records that cannot be read");
      return;
    }
    for (const gdb::TraceHit& hit : *hits)
      if (waiting_.size() < kMostWaiting) waiting_.push_back(hit);
    hits_ = std::max(hits_, records.hits());
  }

  void begin() {
    program_.output().step("trace", printable(place_) + "; the application runs on; Ctrl-C here ends the trace");
    if (plan_.duration) timer_ = scheduler_->after(*plan_.duration, [this] { leaving_ = true; });
  }

  // What came so far. The count ends it.
  Result show() {
    while (!waiting_.empty() && !counted_out()) {
      const gdb::TraceHit hit = std::move(waiting_.front());
      waiting_.pop_front();
      tell_lost(hit.number - 1);
      last_ = hit.number;
      const auto values = gdb_->values(hit, plan_.expressions);
      if (!gdb_->works()) return fail(ExitCode::kFailed, "GDB, which prints the values, does not answer any more");
      print_hit(program_.output(), hit, plan_.expressions, values);
      ++shown_;
    }
    if (waiting_.empty() && !counted_out()) tell_lost(hits_);
    leaving_ = leaving_ || counted_out();
    return {};
  }

  // All hits up to number `until` have come or never will.
  void tell_lost(std::uint32_t until) {
    if (until <= last_) return;
    print_lost(program_.output(), until - last_, "they come faster than the link carries them");
    last_ = until;
  }

  bool counted_out() const { return plan_.count && shown_ >= *plan_.count; }

  // The device takes the tracepoint out, also by itself if it cannot be told.
  void end() {
    bool over = false;
    const auto farewell = scheduler_->after(kFarewell, [&] { over = true; });
    client().on_trace = nullptr;
    client().interrupt();
    while (client().resume_open() && !over) serve_one();
    wire::AgentRequest request;
    request.mutable_detach();
    bool detached = !client().connected();
    if (!detached) client().call(request, [&](const auto&) { detached = true; });
    while (!detached && !over) serve_one();
    client().close();
  }

  Program& program_;
  TracePlan plan_;
  asio::io_context io_;
  asio::signal_set signals_{io_, SIGINT, SIGTERM};
  std::unique_ptr<gdb::Scheduler> scheduler_ = gdb::make_scheduler(io_);
  std::unique_ptr<AgentConnection> connection_;
  std::unique_ptr<TraceGdb> gdb_;
  std::unique_ptr<gdb::Scheduler::Timer> timer_;
  std::string place_;
  gdb::TraceDefinition definition_;
  std::deque<gdb::TraceHit> waiting_;
  std::optional<gdb::Result<wire::AgentReply>> ended_;
  std::uint32_t hits_ = 0;  // that the device told of
  std::uint32_t last_ = 0;  // number of the last one that was printed or told lost
  std::uint32_t shown_ = 0;
  bool begun_ = false;
  bool leaving_ = false;
};

}  // namespace

Result run_trace(Program& program, TracePlan plan) { return TraceSession(program, std::move(plan)).run(); }

}  // namespace mv::cli
