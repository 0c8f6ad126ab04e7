#include "cli/trace_gdb.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/write.hpp>

#include "cli/expression_text.h"
#include "gdbserver/arm/registers.h"

namespace mv::cli {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::uint8_t kLr = 14;                  // r14, Arm DDI 0553 B3.3
constexpr std::size_t kMostTokens = 64;           // of an expression that is collected in parts
constexpr const char* kCollect = "collect/s80 ";  // of strings, so many characters

std::string lower_first(std::string text) {
  if (text.size() > 1 && std::isupper(static_cast<unsigned char>(text[1])) == 0)
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  while (text.ends_with('.') || text.ends_with('\n')) text.pop_back();
  return text;
}

// The line that the person named: "sensor.c:88".
std::optional<std::string> line_of(const std::string& location) {
  const std::size_t colon = location.rfind(':');
  if (colon == std::string::npos || colon + 1 == location.size()) return std::nullopt;
  const std::string line = location.substr(colon + 1);
  if (line.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  return line;
}

// Not "<PENDING>" or "<MULTIPLE>".
std::optional<std::uint32_t> first_address(const std::string& results) {
  for (const std::string& text : mi_fields(results, "addr")) {
    std::uint32_t address = 0;
    if (!text.starts_with("0x")) continue;
    const auto [end, error] = std::from_chars(text.data() + 2, text.data() + text.size(), address, 16);
    if (error == std::errc() && *end == '\0') return address;
  }
  return std::nullopt;
}

Failure no_answer(const MiAnswer& answer) { return {ExitCode::kFailed, "GDB: " + lower_first(answer.error), ""}; }

}  // namespace

tl::expected<std::unique_ptr<TraceGdb>, Failure> TraceGdb::start(asio::io_context& io, const std::string& elf) {
  std::unique_ptr<TraceGdb> gdb(new TraceGdb(io));
  if (auto served = gdb->serve(); !served) return tl::make_unexpected(served.error());
  auto machine = GdbMachine::start(io, elf);
  if (!machine) return tl::make_unexpected(machine.error());
  gdb->machine_ = std::move(*machine);
  const auto port = gdb->acceptor_.local_endpoint().port();
  // With the caches it would ask for 64 bytes at once, of which a record has but a few. Code and constants are the
  // ELF's: GDB takes code that it cannot read for a stub without a frame, and looks for locals in the wrong place.
  for (const std::string& command :
       {std::string("-gdb-set confirm off"), std::string("-gdb-set print repeats unlimited"),
        std::string("-gdb-set stack-cache off"), std::string("-gdb-set code-cache off"),
        std::string("-gdb-set trust-readonly-sections on"), fmt::format("-target-select remote 127.0.0.1:{}", port)}) {
    const MiAnswer answer = gdb->machine_->ask(command);
    if (!answer.done) return tl::make_unexpected(no_answer(answer));
  }
  return gdb;
}

Result TraceGdb::serve() {
  boost::system::error_code error;
  const tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
  acceptor_.open(any.protocol(), error);
  if (!error) acceptor_.bind(any, error);
  if (!error) acceptor_.listen(1, error);
  if (error) return fail(ExitCode::kFailed, "no port can be opened for GDB: " + error.message());
  accept();
  return {};
}

void TraceGdb::accept() {
  acceptor_.async_accept(socket_, [this](boost::system::error_code error) {
    if (error) return;
    boost::system::error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    read();
  });
}

void TraceGdb::read() {
  socket_.async_read_some(asio::buffer(buffer_), [this](boost::system::error_code error, std::size_t size) {
    if (error) return;
    take({buffer_.data(), size});
    read();
  });
}

// GDB acknowledges until it is told not to; an acknowledgement too many is noise to it.
void TraceGdb::take(std::string_view bytes) {
  while (const auto input = decoder_.next(bytes)) {
    if (input->kind != rsp::Input::Kind::kPacket) continue;
    send("+" + rsp::encode_packet(stub_.answer(input->payload)));
  }
}

// To a process on this machine that waits for it.
void TraceGdb::send(const std::string& bytes) {
  boost::system::error_code ignored;
  asio::write(socket_, asio::buffer(bytes), ignored);
}

tl::expected<std::string, Failure> TraceGdb::place(const std::string& location, const std::string& condition) {
  const std::string when = condition.empty() ? "" : "-c " + mi_quoted(condition) + " ";
  const MiAnswer answer = machine_->ask("-break-insert -a " + when + mi_quoted(location));
  if (!answer.done) return fail(ExitCode::kUsage, location + " cannot be traced: " + lower_first(answer.error));
  const auto lines = mi_fields(answer.results, "line");
  const auto wanted = line_of(location);
  if (wanted && !lines.empty() && std::find(lines.begin(), lines.end(), *wanted) == lines.end())
    return fail(ExitCode::kUsage, location + " has no code", "the next line that has some is " + lines.front());
  const auto address = first_address(answer.results);
  if (!address) return fail(ExitCode::kUsage, location + " has no code");
  location_ = location;
  stub_.show_scope(*address);
  const MiAnswer frame = machine_->ask("-trace-find frame-number 0");
  if (!frame.done) return tl::make_unexpected(no_answer(frame));
  const auto files = mi_fields(answer.results, "file"), functions = mi_fields(answer.results, "func");
  return (files.empty() || lines.empty()
              ? location
              : std::filesystem::path(files.front()).filename().string() + ":" + lines.front()) +
         (functions.empty() ? "" : " in " + functions.front());
}

tl::expected<gdb::TraceDefinition, Failure> TraceGdb::compile(const std::vector<std::string>& expressions) {
  for (const std::string& expression : expressions)
    if (auto added = add(expression); !added) return tl::make_unexpected(added.error());
  std::string commands = "-break-commands 1";
  for (const std::string& expression : collected_) commands += " " + mi_quoted(kCollect + expression);
  const MiAnswer collects = machine_->ask(commands);
  if (!collects.done) return tl::make_unexpected(no_answer(collects));
  const MiAnswer started = machine_->ask("-trace-start");
  if (!started.done)
    return fail(ExitCode::kUsage, "the condition cannot be evaluated on the device: " + lower_first(started.error),
                "floating point and enumerators are not: compare integers, (int)state == 2");
  machine_->ask("-trace-stop");
  if (!stub_.understood() || stub_.definition().points().empty())
    return fail(ExitCode::kFailed, "GDB asks to collect what a device cannot");
  gdb::TraceDefinition definition = stub_.definition();
  for (auto& [address, point] : definition.points()) {
    point.registers.erase(gdb::arm::kPc);
    point.registers.insert({gdb::arm::kSp, kLr});  // GDB knows no frame of a function that calls none without lr
    for (std::uint8_t number = 0; all_registers_ && number < gdb::arm::kFirstSystem; ++number)
      if (number != gdb::arm::kPc) point.registers.insert(number);
  }
  return definition;
}

Result TraceGdb::add(const std::string& expression) {
  if (can_collect(expression)) {
    // GDB follows a string only if it is computed, which a variable alone is not.
    const std::string computed = "*&" + expression;
    const bool is_variable = tokens_of(expression).size() == 1;
    const bool to_string = is_variable && what_is(expression).console.find("char *") != std::string::npos;
    collected_.push_back(to_string && can_collect(computed) ? computed : expression);
    return {};
  }
  if (auto good = check(expression); !good) return good;
  add_parts(expression);
  return {};
}

// GDB refuses what it cannot compile before it looks whether it makes sense.
Result TraceGdb::check(const std::string& expression) {
  if (changes_something(expression))
    return fail(ExitCode::kUsage, expression + " changes something: a trace only reads");
  const MiAnswer type = what_is(expression);
  if (!type.done)
    return fail(ExitCode::kUsage,
                fmt::format("{} cannot be traced at {}: {}", expression, location_, lower_first(type.error)));
  const auto tokens = tokens_of(expression);
  if (tokens.size() > kMostTokens)
    return fail(ExitCode::kUsage, expression + " is too long to be collected in parts", "trace its parts one by one");
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    const std::string name = expression.substr(tokens[i].start, tokens[i].end - tokens[i].start);
    if (!tokens[i].is_word || name.starts_with('$') || expression[tokens[i + 1].start] != '(') continue;
    const MiAnswer called = what_is(name);
    if (called.done && called.console.find('(') != std::string::npos)
      return fail(ExitCode::kUsage, fmt::format("{} calls {}: a trace only reads", expression, name));
  }
  return {};
}

// The largest pieces of the text that GDB can compile, side by side.
void TraceGdb::add_parts(const std::string& expression) {
  const auto tokens = tokens_of(expression);
  std::vector<bool> covered(tokens.size(), false);
  for (std::size_t length = tokens.size(); length > 0; --length) {
    for (std::size_t first = 0; first + length <= tokens.size(); ++first) {
      const auto begin = covered.begin() + static_cast<std::ptrdiff_t>(first);
      const auto end = begin + static_cast<std::ptrdiff_t>(length);
      const auto last = first + length - 1;
      const auto names = [&](const Token& token) { return token.is_word; };
      if (std::find(begin, end, true) != end || !tokens[last].closes) continue;
      const std::string part = expression.substr(tokens[first].start, tokens[last].end - tokens[first].start);
      if (!is_balanced(part)) continue;
      if (std::none_of(tokens.begin() + static_cast<std::ptrdiff_t>(first),
                       tokens.begin() + static_cast<std::ptrdiff_t>(last + 1), names))
        continue;
      if (!stands_alone(expression, tokens, first) || !can_collect(part)) continue;
      collected_.push_back(part);
      std::fill(begin, end, true);
    }
  }
  for (std::size_t i = 0; i < tokens.size(); ++i)
    if (tokens[i].is_word && !covered[i])
      all_registers_ = all_registers_ || is_value(expression.substr(tokens[i].start, tokens[i].end - tokens[i].start));
}

// A piece that begins with `*`, `-` or the like must not take an operator between two operands for one before the
// second: of `gain * count` it would read memory at `count`.
bool TraceGdb::stands_alone(const std::string& text, const std::vector<Token>& tokens, std::size_t first) {
  const char begins = text[tokens[first].start];
  if (std::string_view("*&-+!~").find(begins) == std::string_view::npos || first == 0) return true;
  const Token& before = tokens[first - 1];
  if (!before.closes) return true;
  if (text[before.start] != ')') return false;
  int depth = 0;
  for (std::size_t i = first; i-- > 0;) {
    depth += text[tokens[i].start] == ')' ? 1 : text[tokens[i].start] == '(' ? -1 : 0;
    if (depth == 0) return !is_value(text.substr(tokens[i].start, before.end - tokens[i].start));  // else a cast
  }
  return false;
}

bool TraceGdb::can_collect(const std::string& expression) {
  return machine_->ask("-break-commands 1 " + mi_quoted(kCollect + expression)).done;
}

// And not a type.
bool TraceGdb::is_value(const std::string& text) { return what_is("(" + text + ")").done; }

MiAnswer TraceGdb::what_is(const std::string& text) {
  return machine_->ask("-interpreter-exec console " + mi_quoted("whatis " + text));
}

std::vector<TraceValue> TraceGdb::values(const gdb::TraceHit& hit, const std::vector<std::string>& expressions) {
  stub_.show(hit);
  machine_->ask(fmt::format("-trace-find frame-number {}", hit.number));
  std::vector<TraceValue> values;
  for (const std::string& expression : expressions) {
    const MiAnswer answer = machine_->ask("-data-evaluate-expression " + mi_quoted(expression));
    const auto found = mi_fields(answer.results, "value");
    if (!answer.done || found.empty()) {
      values.push_back({.text = "", .problem = lower_first(answer.error)});
    } else if (found.front() == "<optimized out>") {
      values.push_back({.text = "", .problem = "optimised out"});
    } else if (found.front() == "<unavailable>") {
      values.push_back({.text = "", .problem = "not recorded"});
    } else {
      values.push_back({.text = found.front(), .problem = ""});
    }
  }
  return values;
}

}  // namespace mv::cli
