// One line of the AT command language, as a modem reads it: "AT+QIOPEN=1,0,"TCP","host",8443,0,1".
//
// Text in, value out; no state, no I/O. Sources: 3GPP TS 27.007 section 4; ESP-AT User Guide, "AT Command Types"; the
// dialects in docs/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace mv::emulator {

// The longest line that a modem takes, without its end; BG95 says 512 for most commands.
inline constexpr std::size_t kMaxCommandLine = 512;

enum class AtError : std::uint8_t {
  kNotACommand,  // does not begin with AT
  kTooManyArguments,
  kOpenQuote,    // a string without its closing quote
  kBadArgument,  // neither a number nor a quoted string
};

enum class AtQuoting : std::uint8_t {
  kPlain,      // a string holds no quote
  kBackslash,  // a backslash in a string stands before a character that is meant as it is (ESP-AT)
};

struct AtArgument {
  bool is_text = false;
  std::int64_t number = 0;
  std::string text;
};

struct AtCommand {
  enum class Kind : std::uint8_t {
    kExecute,  // AT+CSQ
    kRead,     // AT+CEREG?
    kTest,     // AT+CEREG=?
    kWrite,    // AT+CEREG=1
  };

  std::string name;  // upper case, without AT: "+CSQ", "E0", "" for a bare AT
  Kind kind = Kind::kExecute;
  std::vector<AtArgument> arguments;  // an argument left out is a number 0

  // `line` is without its carriage return.
  static tl::expected<AtCommand, AtError> parse(std::string_view line, AtQuoting quoting = AtQuoting::kPlain);

  // The n-th argument as a number or a string; `otherwise` if it is not there or of the other sort.
  std::int64_t number(std::size_t n, std::int64_t otherwise) const;
  std::string_view text(std::size_t n) const;
};

}  // namespace mv::emulator
