#include "cli/agent_connection.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

#include <openssl/rand.h>

#include "transport/websocket.h"

namespace mv::cli {
namespace {

gdb::SessionId random_session() {
  gdb::SessionId id;
  if (RAND_bytes(id.data(), static_cast<int>(id.size())) != 1) std::abort();  // the system has no randomness left
  return id;
}

std::string hint_for(gdb::ErrorCode code, const std::string& label) {
  switch (code) {
    case gdb::ErrorCode::kRefused:
      return "deploy a bundle made with your debug key, for example:  mvctl deploy . --device " + label +
             " --debug-key dev";
    case gdb::ErrorCode::kOffline:
    case gdb::ErrorCode::kTimeout:
      return "see when it was last there:  mvctl devices";
    case gdb::ErrorCode::kNoApplication:
      return "deploy one first:  mvctl deploy . --device " + label;
    case gdb::ErrorCode::kNotRunning:
      return "if it crashes, see why:  mvctl crashes show " + label;
    default:
      return "";
  }
}

gdb::ErrorCode meaning(const transport::HttpError& error) {
  constexpr unsigned kUnauthorised = 401, kForbidden = 403, kNotFound = 404, kConflict = 409, kUnavailable = 503;
  if (error.kind != transport::HttpErrorKind::kRefused) return gdb::ErrorCode::kUnreachable;
  switch (error.status) {
    case kUnauthorised:
    case kForbidden:
      return gdb::ErrorCode::kUnauthorised;
    case kNotFound:
      return gdb::ErrorCode::kNotFound;
    case kConflict:
      return gdb::ErrorCode::kBusy;
    case kUnavailable:
      return gdb::ErrorCode::kOffline;
    default:
      return gdb::ErrorCode::kProtocol;
  }
}

// Whatever keeps the cloud from us now may be over in a second, but for a wrong token and a device that is gone.
gdb::AgentLink::Lost lost_from(const transport::HttpError& error) {
  const auto code = meaning(error);
  const bool retry = code != gdb::ErrorCode::kUnauthorised && code != gdb::ErrorCode::kNotFound;
  const auto text =
      error.kind == transport::HttpErrorKind::kRefused ? refusal(error.status, error.body).message : error.message;
  return {{code, text}, retry};
}

tl::expected<std::string, Failure> read_file(const std::string& path) {
  std::ifstream file(path);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.fail() || text.empty())
    return fail(ExitCode::kUsage, "the cloud's CA certificate cannot be read: " + path,
                "name it in the context:  mvctl context create --help");
  return text;
}

}  // namespace

tl::expected<std::unique_ptr<AgentConnection>, Failure> AgentConnection::prepare(boost::asio::io_context& io,
                                                                                 gdb::Scheduler& scheduler,
                                                                                 const DebugPlan& plan,
                                                                                 DebugLine* line) {
  auto ca = read_file(plan.context.ca_certificate);
  if (!ca) return tl::make_unexpected(ca.error());
  std::unique_ptr<AgentConnection> made(new AgentConnection(io, plan, line));
  AgentConnection& self = *made;
  if (line == nullptr) {
    auto http = http_options(plan.context);
    if (!http) return tl::make_unexpected(http.error());
    self.http_ = *http;
  }
  self.link_ =
      std::make_unique<gdb::DebugLink>([&self](gdb::DebugLink::Opened opened) { self.open_carrier(std::move(opened)); },
                                       scheduler, *plan.identity, transport::SecureChannel::Peer{*ca, plan.device_id});
  self.client_ =
      std::make_unique<gdb::AgentClient>(*self.link_, scheduler, random_session, gdb::AgentClient::Settings{});
  return made;
}

void AgentConnection::open_carrier(gdb::DebugLink::Opened opened) {
  if (line_ != nullptr) {
    return line_->call([opened = std::move(opened)](auto call) {
      if (!call) return opened(tl::make_unexpected(call.error()));
      opened(std::move(call->pipe));
    });
  }
  const auto path = cloud_target(plan_.context, "/Devices/" + plan_.device_id + "/DebugStream");
  transport::open_websocket(io_, http_, path, [opened = std::move(opened)](auto pipe) {
    if (!pipe) return opened(tl::make_unexpected(lost_from(pipe.error())));
    opened(std::move(*pipe));
  });
}

ExitCode exit_code(gdb::ErrorCode code) {
  switch (code) {
    case gdb::ErrorCode::kOffline:
    case gdb::ErrorCode::kTimeout:
      return ExitCode::kDeviceOffline;
    case gdb::ErrorCode::kUnreachable:
      return ExitCode::kCloudUnreachable;
    case gdb::ErrorCode::kUnauthorised:
      return ExitCode::kNotAuthorised;
    case gdb::ErrorCode::kNotFound:
      return ExitCode::kNotFound;
    case gdb::ErrorCode::kRefused:
    case gdb::ErrorCode::kBusy:
    case gdb::ErrorCode::kNoApplication:
    case gdb::ErrorCode::kNotRunning:
      return ExitCode::kRefusedByDevice;
    default:
      return ExitCode::kFailed;
  }
}

Failure device_failure(const gdb::Error& error, const std::string& label) {
  return {exit_code(error.code), label + ": " + error.text, hint_for(error.code, label)};
}

}  // namespace mv::cli
