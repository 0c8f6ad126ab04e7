#include "gdbserver/rsp/command.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace mv::rsp {
namespace {

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<std::uint32_t> take_u32(std::string_view& text) {
  const auto value = take_hex(text);
  if (!value || *value > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

struct Pair {
  std::uint32_t first;
  std::uint32_t second;
};

// `first,second` in hex, taken from the front of `text`.
std::optional<Pair> take_pair(std::string_view& text) {
  const auto first = take_u32(text);
  if (!first || !take(text, ",")) return std::nullopt;
  const auto second = take_u32(text);
  if (!second) return std::nullopt;
  return Pair{*first, *second};
}

std::optional<ThreadId> thread_id(std::string_view id) {
  if (take(id, "p")) {
    const auto dot = id.find('.');
    if (dot == std::string_view::npos) return ThreadId{ThreadId::Kind::kAll};
    id.remove_prefix(dot + 1);
  }
  if (id == "-1") return ThreadId{ThreadId::Kind::kAll};
  const auto value = hex_u32(id);
  if (!value) return std::nullopt;
  return *value == 0 ? ThreadId{} : ThreadId{ThreadId::Kind::kOne, *value};
}

Command parse_supported(std::string_view text) {
  QuerySupported query;
  take(text, ":");
  while (!text.empty()) {
    const auto end = std::min(text.find(';'), text.size());
    query.features.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return query;
}

Command parse_write_registers(std::string_view text) {
  auto bytes = from_hex(text);
  if (!bytes) return Malformed{};
  return WriteRegisters{std::move(*bytes)};
}

Command parse_read_register(std::string_view text) {
  const auto number = hex_u32(text);
  if (!number) return Malformed{};
  return ReadRegister{*number};
}

Command parse_write_register(std::string_view text) {
  const auto number = take_u32(text);
  if (!number || !take(text, "=")) return Malformed{};
  auto bytes = from_hex(text);
  if (!bytes) return Malformed{};
  return WriteRegister{*number, std::move(*bytes)};
}

Command parse_read_memory(std::string_view text, bool binary) {
  const auto range = take_pair(text);
  if (!range || !text.empty()) return Malformed{};
  return ReadMemory{range->first, range->second, binary};
}

Command parse_write_memory_hex(std::string_view text) {
  const auto range = take_pair(text);
  if (!range || !take(text, ":")) return Malformed{};
  auto bytes = from_hex(text);
  if (!bytes || bytes->size() != range->second) return Malformed{};
  return WriteMemory{range->first, std::move(*bytes)};
}

Command parse_write_memory_binary(std::string_view text) {
  const auto range = take_pair(text);
  if (!range || !take(text, ":") || text.size() != range->second) return Malformed{};
  return WriteMemory{range->first, Bytes(text.begin(), text.end())};
}

Command parse_flash_erase(std::string_view text) {
  if (!take(text, ":")) return Malformed{};
  const auto range = take_pair(text);
  if (!range || !text.empty()) return Malformed{};
  return FlashErase{range->first, range->second};
}

Command parse_flash_write(std::string_view text) {
  if (!take(text, ":")) return Malformed{};
  const auto address = take_u32(text);
  if (!address || !take(text, ":")) return Malformed{};
  return FlashWrite{*address, Bytes(text.begin(), text.end())};
}

Command parse_checksum(std::string_view text) {
  const auto range = take_pair(text);
  if (!range || !text.empty()) return Malformed{};
  return Checksum{range->first, range->second};
}

Command parse_search(std::string_view text) {
  if (!take(text, ":memory:")) return Unknown{};
  const auto address = take_u32(text);
  if (!address || !take(text, ";")) return Malformed{};
  const auto length = take_u32(text);
  if (!length || !take(text, ";") || text.empty()) return Malformed{};
  return Search{*address, *length, Bytes(text.begin(), text.end())};
}

Command parse_host_open(std::string_view text) {
  const auto comma = text.find(',');
  if (comma == std::string_view::npos) return Malformed{};
  const auto name = from_hex(text.substr(0, comma));
  text.remove_prefix(comma + 1);
  const auto modes = take_pair(text);  // flags, mode
  if (!name || !modes || !text.empty()) return Malformed{};
  return HostFileRequest{
      .operation = HostFileRequest::Operation::kOpen, .name = {name->begin(), name->end()}, .flags = modes->first};
}

Command parse_host_read(std::string_view text) {
  const auto descriptor = take_u32(text);
  if (!descriptor || !take(text, ",")) return Malformed{};
  const auto piece = take_pair(text);  // count, offset
  if (!piece || !text.empty()) return Malformed{};
  return HostFileRequest{.operation = HostFileRequest::Operation::kRead,
                         .name = {},
                         .descriptor = *descriptor,
                         .count = piece->first,
                         .offset = piece->second};
}

Command parse_host_file(std::string_view text) {
  using Operation = HostFileRequest::Operation;
  if (take(text, ":open:")) return parse_host_open(text);
  if (take(text, ":pread:")) return parse_host_read(text);
  const auto operation = take(text, ":setfs:")   ? Operation::kSetRoot
                         : take(text, ":fstat:") ? Operation::kStatus
                         : take(text, ":close:") ? Operation::kClose
                                                 : Operation::kOther;
  if (operation == Operation::kOther) return HostFileRequest{.operation = operation, .name = {}};
  const auto descriptor = hex_u32(text);  // of kSetRoot: a process, there is one
  if (!descriptor) return Malformed{};
  return HostFileRequest{.operation = operation, .name = {}, .descriptor = *descriptor};
}

// One action of vCont, without its thread. Signals are dropped: bare metal has none.
std::optional<Resume> parse_action(std::string_view action) {
  if (action.empty()) return std::nullopt;
  const char letter = action.front();
  action.remove_prefix(1);
  switch (letter) {
    case 'c':
    case 'C':
      return Resume{.kind = Resume::Kind::kContinue, .address = {}};
    case 's':
    case 'S':
      return Resume{.kind = Resume::Kind::kStep, .address = {}};
    case 't':
      return Resume{.kind = Resume::Kind::kStop, .address = {}};
    case 'r': {
      const auto range = take_pair(action);
      if (!range || !action.empty()) return std::nullopt;
      return Resume{.kind = Resume::Kind::kRange, .start = range->first, .end = range->second, .address = {}};
    }
    default:
      return std::nullopt;
  }
}

// A processor runs one thread at a time and cannot hold back the others: a step, if there is one, is what counts.
Command parse_vcont(std::string_view text) {
  std::optional<Resume> chosen;
  while (take(text, ";")) {
    const auto end = std::min(text.find(';'), text.size());
    const auto part = text.substr(0, end);
    text.remove_prefix(end);
    const auto colon = part.find(':');
    auto action = parse_action(part.substr(0, colon));
    const auto thread =
        colon == std::string_view::npos ? ThreadId{ThreadId::Kind::kAll} : thread_id(part.substr(colon + 1));
    if (!action || !thread) return Malformed{};
    action->thread = *thread;
    const auto steps = [](const Resume& r) { return r.kind == Resume::Kind::kStep || r.kind == Resume::Kind::kRange; };
    if (!chosen || (steps(*action) && !steps(*chosen))) chosen = action;
  }
  if (!chosen || !text.empty()) return Malformed{};
  return *chosen;
}

// c [addr], s [addr]
Command parse_resume(std::string_view text, Resume::Kind kind) {
  Resume resume{.kind = kind, .address = {}};
  if (text.empty()) return resume;
  resume.address = hex_u32(text);
  if (!resume.address) return Malformed{};
  return resume;
}

// C sig[;addr], S sig[;addr]
Command parse_resume_with_signal(std::string_view text, Resume::Kind kind) {
  if (!take_hex(text, 2)) return Malformed{};
  if (!text.empty() && !take(text, ";")) return Malformed{};
  return parse_resume(text, kind);
}

// X len,hex... : one agent expression.
std::optional<Bytes> take_expression(std::string_view& text) {
  if (!take(text, "X")) return std::nullopt;
  const auto size = take_u32(text);
  if (!size || !take(text, ",") || *size == 0 || text.size() / 2 < *size) return std::nullopt;
  auto bytes = from_hex(text.substr(0, 2 * std::size_t{*size}));
  text.remove_prefix(2 * std::size_t{*size});
  return bytes;
}

// GDB puts a semicolon before the first of them only.
std::optional<std::vector<Bytes>> take_expressions(std::string_view& text) {
  std::vector<Bytes> expressions;
  while (text.starts_with("X") || text.starts_with(";X")) {
    take(text, ";");
    auto expression = take_expression(text);
    if (!expression) return std::nullopt;
    expressions.push_back(std::move(*expression));
  }
  return expressions;
}

Command parse_breakpoint(std::string_view text, bool insert) {
  if (text.empty() || text.front() < '0' || text.front() > '4') return Unknown{};
  const auto type = static_cast<std::uint8_t>(text.front() - '0');
  text.remove_prefix(1);
  if (!take(text, ",")) return Malformed{};
  const auto where = take_pair(text);
  if (!where) return Malformed{};
  Breakpoint breakpoint{insert, type, where->first, where->second, {}, {}};
  if (!insert) return text.empty() ? Command{breakpoint} : Malformed{};
  auto conditions = text.starts_with(";X") ? take_expressions(text) : std::vector<Bytes>{};
  if (!conditions) return Malformed{};
  breakpoint.conditions = std::move(*conditions);
  if (take(text, ";cmds:")) {
    if (!take_hex(text) || !take(text, ",")) return Malformed{};
    auto commands = take_expressions(text);
    if (!commands) return Malformed{};
    breakpoint.commands = std::move(*commands);
  }
  if (!text.empty()) return Malformed{};
  return breakpoint;
}

Command parse_set_thread(std::string_view text) {
  if (text.empty()) return Malformed{};
  const auto thread = thread_id(text.substr(1));
  if (!thread) return Malformed{};
  return SetThread{text.front() == 'g', *thread};
}

Command parse_thread_alive(std::string_view text) {
  const auto thread = thread_id(text);
  if (!thread) return Malformed{};
  return ThreadAlive{*thread};
}

Command parse_extra_info(std::string_view text) {
  const auto thread = take(text, ",") ? thread_id(text) : std::nullopt;
  if (!thread) return Malformed{};
  return ThreadExtraInfo{*thread};
}

Command parse_transfer(std::string_view text) {
  const auto object_end = text.find(':');
  if (object_end == std::string_view::npos) return Malformed{};
  Transfer transfer{std::string(text.substr(0, object_end)), {}, 0, 0};
  text.remove_prefix(object_end);
  if (!take(text, ":read:")) return Unknown{};
  const auto annex_end = text.find(':');
  if (annex_end == std::string_view::npos) return Malformed{};
  transfer.annex = text.substr(0, annex_end);
  text.remove_prefix(annex_end + 1);
  const auto range = take_pair(text);
  if (!range || !text.empty()) return Malformed{};
  transfer.offset = range->first;
  transfer.length = range->second;
  return transfer;
}

Command parse_monitor(std::string_view text) {
  const auto bytes = from_hex(text);
  if (!bytes) return Malformed{};
  return Monitor{std::string(bytes->begin(), bytes->end())};
}

// Packets with a long name. The name stands for itself or is followed by one of the separators.
struct Named {
  std::string_view name;
  Command (*parse)(std::string_view rest);
};

constexpr std::array kNamed = {
    Named{"qSupported", parse_supported},
    Named{"QStartNoAckMode", [](std::string_view) -> Command { return StartNoAckMode{}; }},
    Named{"QThreadSuffixSupported", [](std::string_view) -> Command { return LldbClient{}; }},
    Named{"qHostInfo", [](std::string_view) -> Command { return HostInfo{}; }},
    Named{"qWatchpointSupportInfo", [](std::string_view) -> Command { return WatchSupportInfo{}; }},
    Named{"qC", [](std::string_view) -> Command { return CurrentThread{}; }},
    Named{"qfThreadInfo", [](std::string_view) -> Command { return ThreadListFirst{}; }},
    Named{"qsThreadInfo", [](std::string_view) -> Command { return ThreadListNext{}; }},
    Named{"qThreadExtraInfo", parse_extra_info},
    Named{"qAttached", [](std::string_view) -> Command { return QueryAttached{}; }},
    Named{"qSymbol", [](std::string_view) -> Command { return QuerySymbol{}; }},
    Named{"qXfer", [](std::string_view rest) -> Command { return parse_transfer(rest.substr(rest.empty() ? 0 : 1)); }},
    Named{"qRcmd", [](std::string_view rest) -> Command { return parse_monitor(rest.substr(rest.empty() ? 0 : 1)); }},
    Named{"qCRC", [](std::string_view rest) -> Command { return parse_checksum(rest.substr(rest.empty() ? 0 : 1)); }},
    Named{"qSearch", parse_search},
    Named{"vFile", parse_host_file},
    Named{"vCont?", [](std::string_view) -> Command { return ResumeQuery{}; }},
    Named{"vCont", parse_vcont},
    Named{"vCtrlC", [](std::string_view) -> Command { return Interrupt{}; }},
    Named{"vFlashErase", parse_flash_erase},
    Named{"vFlashWrite", parse_flash_write},
    Named{"vFlashDone", [](std::string_view) -> Command { return FlashDone{}; }},
    Named{"vKill", [](std::string_view) -> Command { return Kill{.replies = true}; }},
    Named{"vRun", [](std::string_view) -> Command { return Restart{.replies = true}; }},
};

Command parse_named(std::string_view payload) {
  for (const Named& named : kNamed) {
    auto rest = payload;
    if (!take(rest, named.name)) continue;
    if (rest.empty() || rest.front() == ':' || rest.front() == ';' || rest.front() == ',') return named.parse(rest);
  }
  return Unknown{};
}

}  // namespace

bool QuerySupported::has(std::string_view feature) const {
  return std::find(features.begin(), features.end(), feature) != features.end();
}

Command parse_command(std::string_view payload) {
  if (payload.empty()) return Unknown{};
  const auto rest = payload.substr(1);
  switch (payload.front()) {
    case 'q':
    case 'Q':
    case 'v':
      return parse_named(payload);
    case '!':
      return ExtendedMode{};
    case '?':
      return HaltReason{};
    case 'g':
      return ReadRegisters{};
    case 'G':
      return parse_write_registers(rest);
    case 'p':
      return parse_read_register(rest);
    case 'P':
      return parse_write_register(rest);
    case 'm':
      return parse_read_memory(rest, false);
    case 'x':
      return parse_read_memory(rest, true);
    case 'M':
      return parse_write_memory_hex(rest);
    case 'X':
      return parse_write_memory_binary(rest);
    case 'c':
      return parse_resume(rest, Resume::Kind::kContinue);
    case 's':
      return parse_resume(rest, Resume::Kind::kStep);
    case 'C':
      return parse_resume_with_signal(rest, Resume::Kind::kContinue);
    case 'S':
      return parse_resume_with_signal(rest, Resume::Kind::kStep);
    case 'Z':
      return parse_breakpoint(rest, true);
    case 'z':
      return parse_breakpoint(rest, false);
    case 'H':
      return parse_set_thread(rest);
    case 'T':
      return parse_thread_alive(rest);
    case 'D':
      return Detach{};
    case 'k':
      return Kill{.replies = false};
    case 'R':
      return Restart{.replies = false};
    default:
      return Unknown{};
  }
}

}  // namespace mv::rsp
