#include "emulator/at_command.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace mv::emulator {
namespace {

constexpr std::size_t kMaxArguments = 16;

tl::expected<AtArgument, AtError> take_text(std::string_view& rest, AtQuoting quoting) {
  AtArgument argument{true, 0, {}};
  for (std::size_t at = 1; at < rest.size(); ++at) {
    if (rest[at] == '"') {
      rest.remove_prefix(at + 1);
      return argument;
    }
    const bool escapes = quoting == AtQuoting::kBackslash && rest[at] == '\\' && at + 1 < rest.size();
    argument.text.push_back(rest[escapes ? ++at : at]);
  }
  return tl::make_unexpected(AtError::kOpenQuote);
}

tl::expected<AtArgument, AtError> take_number(std::string_view& rest) {
  AtArgument argument;
  const std::size_t length = std::min(rest.find(','), rest.size());
  if (length > 0) {
    const auto parsed = std::from_chars(rest.data(), rest.data() + length, argument.number);
    if (parsed.ec != std::errc() || parsed.ptr != rest.data() + length) {
      return tl::make_unexpected(AtError::kBadArgument);
    }
  }
  rest.remove_prefix(length);
  return argument;
}

tl::expected<std::vector<AtArgument>, AtError> parse_arguments(std::string_view rest, AtQuoting quoting) {
  std::vector<AtArgument> arguments;
  while (true) {
    if (arguments.size() == kMaxArguments) return tl::make_unexpected(AtError::kTooManyArguments);
    auto argument = rest.starts_with('"') ? take_text(rest, quoting) : take_number(rest);
    if (!argument) return tl::make_unexpected(argument.error());
    arguments.push_back(*std::move(argument));
    if (rest.empty()) return arguments;
    if (rest.front() != ',') return tl::make_unexpected(AtError::kBadArgument);
    rest.remove_prefix(1);
  }
}

bool starts_with_at(std::string_view line) {
  return line.size() >= 2 && (line[0] == 'A' || line[0] == 'a') && (line[1] == 'T' || line[1] == 't');
}

std::string upper_case(std::string_view text) {
  std::string upper(text);
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return upper;
}

}  // namespace

tl::expected<AtCommand, AtError> AtCommand::parse(std::string_view line, AtQuoting quoting) {
  if (!starts_with_at(line)) return tl::make_unexpected(AtError::kNotACommand);
  line.remove_prefix(2);
  AtCommand command;
  command.name = upper_case(line.substr(0, line.find_first_of("=?")));
  line.remove_prefix(command.name.size());
  if (line.empty()) return command;
  if (line == "?" || line == "=?") {
    command.kind = line == "?" ? Kind::kRead : Kind::kTest;
    return command;
  }
  if (line.front() != '=') return tl::make_unexpected(AtError::kBadArgument);
  command.kind = Kind::kWrite;
  auto arguments = parse_arguments(line.substr(1), quoting);
  if (!arguments) return tl::make_unexpected(arguments.error());
  command.arguments = *std::move(arguments);
  return command;
}

std::int64_t AtCommand::number(std::size_t n, std::int64_t otherwise) const {
  return n < arguments.size() && !arguments[n].is_text ? arguments[n].number : otherwise;
}

std::string_view AtCommand::text(std::size_t n) const {
  return n < arguments.size() && arguments[n].is_text ? std::string_view(arguments[n].text) : std::string_view();
}

}  // namespace mv::emulator
