// The way from here to the debug agent of a device: through the cloud, or over the board's serial line; end-to-end
// encrypted with a debug key.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "cli/debug_line.h"
#include "cli/debug_plan.h"
#include "gdbserver/target/agent_client.h"
#include "gdbserver/target/debug_link.h"
#include "transport/http.h"

namespace mv::cli {

class AgentConnection {
 public:
  // Connects with the client's first attach; with `line`, by calling the device there. Everything given outlives the
  // connection.
  //
  // kUsage: the context names no CA certificate that can be read, or no address.
  static tl::expected<std::unique_ptr<AgentConnection>, Failure> prepare(boost::asio::io_context& io,
                                                                         gdb::Scheduler& scheduler,
                                                                         const DebugPlan& plan,
                                                                         DebugLine* line = nullptr);

  gdb::AgentClient& client() { return *client_; }

 private:
  AgentConnection(boost::asio::io_context& io, const DebugPlan& plan, DebugLine* line)
      : io_(io), plan_(plan), line_(line) {}
  void open_carrier(gdb::DebugLink::Opened opened);

  boost::asio::io_context& io_;
  const DebugPlan& plan_;
  DebugLine* line_;
  transport::HttpOptions http_;
  std::unique_ptr<gdb::DebugLink> link_;
  std::unique_ptr<gdb::AgentClient> client_;
};

ExitCode exit_code(gdb::ErrorCode code);

// What a device's error means to the person who asked for `label`.
Failure device_failure(const gdb::Error& error, const std::string& label);

}  // namespace mv::cli
