// Lines of a modem: bytes in, whole lines out, and the numbers in them (docs/modem-dialect.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mv::link {

inline constexpr std::size_t kMaxLine = 127;  // bytes of a line without its end

// Collects one line at a time. LF ends a line, CR is nothing; empty lines are skipped. (Only LF, because the raw bytes
// that an announcement promises begin right after it.) A line that is too long, or that
// holds bytes which no modem says, is thrown away whole: it is noise, or its end is unknown.
class LineReader {
 public:
  // Takes one byte. The line is valid until the next call.
  std::optional<std::string_view> push(std::uint8_t byte);

  // What has come of the line that is not complete yet: a prompt has no end of line.
  std::string_view partial() const { return bad_ ? std::string_view{} : std::string_view(buffer_.data(), length_); }

  void clear();

 private:
  std::array<char, kMaxLine> buffer_{};
  std::size_t length_ = 0;
  bool bad_ = false;
  bool handed_out_ = false;
};

// Reads the numbers of a line such as `+CSQ: 23,99` or `+QIURC: "recv",0,128`.
class LineParser {
 public:
  explicit LineParser(std::string_view line) : rest_(line) {}

  // Takes `text` off the front. False, and nothing taken, if it is not there.
  bool take(std::string_view text);

  // Takes a decimal number of at most nine digits off the front.
  std::optional<std::uint32_t> number();

  bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace mv::link
