#include "core/debug/agent_printf.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace mv::debug {
namespace {

// One conversion of a format: %[flags][width][.precision][length]letter.
struct Conversion {
  bool left = false, zero = false, plus = false, blank = false, alternate = false;
  std::size_t width = 0;
  std::optional<std::size_t> precision;
  std::size_t bits = 32;  // of a number
  bool has_length = false;
  char letter = 0;
};

class Printer {
 public:
  Printer(std::span<const std::uint8_t> format, std::span<const std::uint64_t> arguments, ApplicationMemory& memory,
          ConsoleText& console)
      : format_(format), arguments_(arguments), memory_(memory), console_(console) {}

  ExpressionError run();

 private:
  bool print_escape();
  bool print_octal();
  bool parse(Conversion& conversion);
  void parse_flags(Conversion& conversion);
  bool parse_number(std::size_t& number);
  void parse_length(Conversion& conversion);
  ExpressionError print(const Conversion& conversion);
  ExpressionError print_string(const Conversion& conversion, std::uint32_t address);
  void print_number(const Conversion& conversion, std::uint64_t value);
  void print_padded(const Conversion& conversion, std::string_view prefix, std::string_view body, std::size_t zeros);
  void fill(char character, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) console_.put(character);
  }
  void put(std::string_view text) {
    for (const char character : text) console_.put(character);
  }
  bool take(char character) {
    if (format_.empty() || format_.front() != static_cast<std::uint8_t>(character)) return false;
    format_ = format_.subspan(1);
    return true;
  }

  std::span<const std::uint8_t> format_;
  std::span<const std::uint64_t> arguments_;
  ApplicationMemory& memory_;
  ConsoleText& console_;
};

ExpressionError Printer::run() {
  while (!format_.empty()) {
    if (take('\\')) {
      if (!print_escape()) return ExpressionError::kBadFormat;
    } else if (!take('%')) {
      console_.put(static_cast<char>(format_.front()));
      format_ = format_.subspan(1);
    } else if (take('%')) {
      console_.put('%');
    } else {
      Conversion conversion;
      if (!parse(conversion) || arguments_.empty()) return ExpressionError::kBadFormat;
      const ExpressionError error = print(conversion);
      if (error != ExpressionError::kNone) return error;
      arguments_ = arguments_.subspan(1);
    }
  }
  return ExpressionError::kNone;
}

bool Printer::print_escape() {
  constexpr std::string_view kLetters = "abefnrtv\\\"'";
  constexpr std::string_view kMeanings = "\a\b\x1B\f\n\r\t\v\\\"'";
  static_assert(kLetters.size() == kMeanings.size());
  if (format_.empty()) return false;
  const std::size_t which = kLetters.find(static_cast<char>(format_.front()));
  if (which == std::string_view::npos) return print_octal();
  format_ = format_.subspan(1);
  console_.put(kMeanings[which]);
  return true;
}

// Up to three digits.
bool Printer::print_octal() {
  unsigned value = 0, digits = 0;
  for (; digits < 3 && !format_.empty() && format_.front() >= '0' && format_.front() <= '7'; ++digits) {
    value = 8 * value + (format_.front() - unsigned{'0'});
    format_ = format_.subspan(1);
  }
  if (digits != 0) console_.put(static_cast<char>(value));
  return digits != 0;
}

bool Printer::parse(Conversion& conversion) {
  parse_flags(conversion);
  if (!parse_number(conversion.width)) return false;
  if (take('.')) {
    conversion.precision = 0;
    if (!parse_number(*conversion.precision)) return false;
  }
  parse_length(conversion);
  if (format_.empty()) return false;
  conversion.letter = static_cast<char>(format_.front());
  format_ = format_.subspan(1);
  return true;
}

void Printer::parse_flags(Conversion& conversion) {
  for (;;) {
    if (take('-')) {
      conversion.left = true;
    } else if (take('0')) {
      conversion.zero = true;
    } else if (take('+')) {
      conversion.plus = true;
    } else if (take(' ')) {
      conversion.blank = true;
    } else if (take('#')) {
      conversion.alternate = true;
    } else {
      return;
    }
  }
}

bool Printer::parse_number(std::size_t& number) {
  while (!format_.empty() && format_.front() >= '0' && format_.front() <= '9') {
    number = 10 * number + (format_.front() - std::size_t{'0'});
    if (number > kWidestField) return false;
    format_ = format_.subspan(1);
  }
  return true;
}

// On this processor int, long, size_t and ptrdiff_t have 32 bits, long long and intmax_t 64.
void Printer::parse_length(Conversion& conversion) {
  const std::size_t before = format_.size();
  if (take('h')) {
    conversion.bits = take('h') ? 8 : 16;
  } else if (take('l')) {
    conversion.bits = take('l') ? 64 : 32;
  } else if (take('j')) {
    conversion.bits = 64;
  } else {
    static_cast<void>(take('z') || take('t'));
  }
  conversion.has_length = format_.size() != before;
}

ExpressionError Printer::print(const Conversion& conversion) {
  const std::uint64_t argument = arguments_.front();
  const bool text = conversion.letter == 's' || conversion.letter == 'c';
  if (text && conversion.has_length) return ExpressionError::kBadFormat;  // wide characters
  switch (conversion.letter) {
    case 's':
      return print_string(conversion, static_cast<std::uint32_t>(argument));
    case 'c': {
      const char character = static_cast<char>(argument);
      print_padded(conversion, {}, {&character, 1}, 0);
      return ExpressionError::kNone;
    }
    case 'd':
    case 'i':
    case 'u':
    case 'o':
    case 'x':
    case 'X':
    case 'p':
      print_number(conversion, argument);
      return ExpressionError::kNone;
    default:
      return ExpressionError::kBadFormat;
  }
}

ExpressionError Printer::print_string(const Conversion& conversion, std::uint32_t address) {
  const std::size_t most = std::min(conversion.precision.value_or(kLongestString), kLongestString);
  std::array<char, kLongestString> text;
  std::size_t size = 0;
  if (address == 0) {
    constexpr std::string_view kNull = "(null)";
    size = kNull.copy(text.data(), most);
  }
  for (; address != 0 && size < most; ++size) {
    std::array<std::uint8_t, 1> byte{};
    if (!memory_.read(address + static_cast<std::uint32_t>(size), byte)) return ExpressionError::kBadAddress;
    if (byte[0] == 0) break;
    text[size] = static_cast<char>(byte[0]);
  }
  print_padded(conversion, {}, {text.data(), size}, 0);
  return ExpressionError::kNone;
}

void Printer::print_number(const Conversion& conversion, std::uint64_t value) {
  const bool is_signed = conversion.letter == 'd' || conversion.letter == 'i';
  const std::size_t unused = 64 - conversion.bits;
  value = value << unused >> unused;
  const bool negative = is_signed && (value >> (conversion.bits - 1)) != 0;
  if (negative) value = (0 - value) << unused >> unused;

  const bool upper = conversion.letter == 'X';
  const bool hex = upper || conversion.letter == 'x' || conversion.letter == 'p';
  const std::uint64_t base = hex ? 16 : conversion.letter == 'o' ? 8 : 10;
  const bool alternate = conversion.alternate && value != 0;
  const std::string_view symbols = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  std::array<char, 22> digits;  // 64 bits in octal
  std::size_t first = digits.size();
  for (std::uint64_t left = value; left != 0; left /= base) {
    digits[--first] = symbols[static_cast<std::size_t>(left % base)];
  }
  const std::size_t count = digits.size() - first;
  std::size_t least = conversion.precision.value_or(1);
  if (base == 8 && alternate) least = std::max(least, count + 1);

  const char* prefix = "";
  if (conversion.letter == 'p' || (hex && alternate)) prefix = upper ? "0X" : "0x";
  if (is_signed) prefix = negative ? "-" : conversion.plus ? "+" : conversion.blank ? " " : "";
  print_padded(conversion, prefix, {digits.data() + first, count}, least > count ? least - count : 0);
}

// Zeros go between prefix and digits, blanks before all of it, or behind.
void Printer::print_padded(const Conversion& conversion, std::string_view prefix, std::string_view body,
                           std::size_t zeros) {
  const std::size_t size = prefix.size() + zeros + body.size();
  const std::size_t room = conversion.width > size ? conversion.width - size : 0;
  const bool number = conversion.letter != 's' && conversion.letter != 'c';
  const bool with_zeros = number && conversion.zero && !conversion.left && !conversion.precision;
  if (!conversion.left && !with_zeros) fill(' ', room);
  put(prefix);
  fill('0', zeros + (with_zeros ? room : 0));
  put(body);
  if (conversion.left) fill(' ', room);
}

}  // namespace

ExpressionError print_formatted(std::span<const std::uint8_t> format, std::span<const std::uint64_t> arguments,
                                ApplicationMemory& memory, ConsoleText& console) {
  return Printer(format, arguments, memory, console).run();
}

}  // namespace mv::debug
