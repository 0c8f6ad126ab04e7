// Session: what is answered without the device. Who we are, documents.
#include <fmt/format.h>

#include "gdbserver/arm/memory_map.h"
#include "gdbserver/rsp/hex.h"
#include "gdbserver/rsp/reply.h"
#include "gdbserver/session/session.h"

namespace mv::gdb {
namespace {

// What qSupported announces, and the feature that the client must have named for it, if any.
struct Feature {
  std::string_view announced;
  std::string_view needs;
  bool programs = false;  // only if the device evaluates what is behind breakpoints
};

constexpr Feature kFeatures[] = {
    {"QStartNoAckMode+", ""},          {"vContSupported+", ""},     {"qXfer:features:read+", ""},
    {"qXfer:memory-map:read+", ""},    {"qXfer:threads:read+", ""}, {"binary-upload+", ""},
    {"swbreak+", "swbreak+"},          {"hwbreak+", "hwbreak+"},    {"ConditionalBreakpoints+", "", true},
    {"BreakpointCommands+", "", true},
};

}  // namespace

void Session::handle(const rsp::Unknown&) { reply(""); }

void Session::handle(const rsp::Malformed&) { reply(rsp::error(rsp::kErrorArgument)); }

void Session::handle(const rsp::QuerySupported& command) {
  error_texts_ = command.has("error-message+");
  tells_breakpoints_ = command.has("swbreak+");
  std::string text = "PacketSize=" + rsp::hex_number(rsp::kMaxPayload);
  if (!host_file_.path().empty()) text += ";qXfer:exec-file:read+";
  const bool programs = target_.program_limits().expressions != 0;
  for (const Feature& feature : kFeatures) {
    if (feature.programs && !programs) continue;
    if (feature.needs.empty() || command.has(feature.needs)) text += ";" + std::string(feature.announced);
  }
  reply(text);
}

// The reply to this one is still acknowledged by the client.
void Session::handle(const rsp::StartNoAckMode&) {
  reply(std::string(rsp::kOk));
  acks_ = false;
}

// Not supported; but LLDB before 2026 stumbles over notifications, and now we know who asks.
void Session::handle(const rsp::LldbClient&) {
  is_lldb_ = true;
  reply("");
}

// No triple: the ELF knows the core better. Told how many watchpoints there are and when they stop, LLDB makes the
// access before it compares; GDB knows by the architecture (LLDB, docs/lldb-gdb-remote.txt).
void Session::handle(const rsp::HostInfo&) {
  const std::string_view when = target_.watch_support().stops_before ? "before" : "after";
  reply(fmt::format("endian:little;ptrsize:4;watchpoint_exceptions_received:{};", when));
}

void Session::handle(const rsp::WatchSupportInfo&) { reply(fmt::format("num:{};", target_.watch_support().count)); }

void Session::handle(const rsp::ExtendedMode&) { reply(std::string(rsp::kOk)); }

// "Attached to something that was there before": GDB then detaches when it quits, instead of killing.
void Session::handle(const rsp::QueryAttached&) { reply("1"); }
void Session::handle(const rsp::QuerySymbol&) { reply(std::string(rsp::kOk)); }
void Session::handle(const rsp::ResumeQuery&) { reply("vCont;c;C;s;S;t;r"); }

void Session::handle(const rsp::Transfer& command) {
  if (command.object == "features" && command.annex == "target.xml")
    return reply(rsp::transfer(arm::target_description(stop_.registers.has_system), command.offset, command.length));
  if (command.object == "threads" && command.annex.empty()) {
    return with_threads([this, command](const auto& threads) {
      return rsp::transfer(thread_document(threads), command.offset, command.length);
    });
  }
  if (command.object == "memory-map" && command.annex.empty())
    return reply(rsp::transfer(arm::memory_map(target_.regions()), command.offset, command.length));
  if (command.object == "exec-file" && !host_file_.path().empty())
    return reply(rsp::transfer(host_file_.path(), command.offset, command.length));
  reply("");
}

void Session::handle(const rsp::HostFileRequest& command) { reply(host_file_.answer(command)); }

}  // namespace mv::gdb
