#include "cli/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include <nlohmann/json.hpp>

namespace mv::cli {
namespace {

using Json = nlohmann::ordered_json;

Json with_schema(const Json& document) {
  Json whole = {{"schema", 1}};
  if (document.is_object()) {
    whole.update(document);
  } else {
    whole["items"] = document;
  }
  return whole;
}

// Texts from devices and files may be broken UTF-8: replaced, never thrown.
std::string dump(const Json& document, int indent) {
  return with_schema(document).dump(indent, ' ', false, Json::error_handler_t::replace);
}

void print_line(std::ostream& stream, std::string_view text) {
  stream << text;
  if (text.empty() || text.back() != '\n') stream << '\n';
}

// Length of the UTF-8 sequence that `text` begins with, 0 if it is not one (RFC 3629).
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xC2 ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (first == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
  if (first == 0xED && byte(1) > 0x9F) return 0;  // surrogates
  if (first == 0xF0 && byte(1) < 0x90) return 0;  // overlong
  if (first == 0xF4 && byte(1) > 0x8F) return 0;  // above U+10FFFF
  return length;
}

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string_view code(Colour colour) {
  switch (colour) {
    case Colour::kPlain:
      return "";
    case Colour::kBold:
      return "\033[1m";
    case Colour::kDim:
      return "\033[2m";
    case Colour::kRed:
      return "\033[31m";
    case Colour::kGreen:
      return "\033[32m";
    case Colour::kYellow:
      return "\033[33m";
    case Colour::kCyan:
      return "\033[36m";
  }
  return "";
}

std::string indented(const std::string& text) {
  std::string out = "  ";
  for (const char c : text) out += c == '\n' ? std::string("\n  ") : std::string(1, c);
  return out;
}

}  // namespace

Terminal process_terminal() {
  Terminal terminal{&std::cout, &std::cerr, isatty(STDOUT_FILENO) == 1, isatty(STDERR_FILENO) == 1};
  terminal.in = &std::cin;
  terminal.in_is_terminal = isatty(STDIN_FILENO) == 1;
  const char* no_color = std::getenv("NO_COLOR");  // https://no-color.org: any value but the empty one
  const char* term = std::getenv("TERM");
  const bool dumb = term != nullptr && std::string_view(term) == "dumb";
  terminal.colours = (no_color == nullptr || *no_color == '\0') && !dumb;
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) terminal.columns = size.ws_col;
  return terminal;
}

void Output::result(const Json& document, std::string_view text) {
  if (json()) {
    print_line(*terminal_.out, dump(document, 2));
  } else if (!text.empty()) {
    print_line(*terminal_.out, text);
  }
  terminal_.out->flush();
}

void Output::record(const Json& document, std::string_view text) {
  print_line(*terminal_.out, json() ? dump(document, -1) : std::string(text));
  terminal_.out->flush();
}

void Output::step(std::string_view label, std::string_view text) {
  if (quiet_ || json()) return;
  std::string padded(label);
  if (width(padded) < 10) padded.append(10 - width(padded), ' ');
  *terminal_.err << padded << text << '\n' << std::flush;
}

void Output::note(std::string_view text) {
  if (quiet_ || json()) return;
  print_line(*terminal_.err, text);
  terminal_.err->flush();
}

void Output::detail(std::string_view text) {
  if (!verbose_) return;
  print_line(*terminal_.err, text);
  terminal_.err->flush();
}

void Output::warning(std::string_view text) {
  if (json()) return;
  const bool colour = terminal_.colours && terminal_.err_is_terminal;
  *terminal_.err << (colour ? code(Colour::kYellow) : "") << text << (colour ? "\033[0m" : "") << '\n' << std::flush;
}

void Output::failure(const Failure& failure) {
  if (json()) {
    result(
        {{"error", {{"code", static_cast<int>(failure.code)}, {"message", failure.message}, {"hint", failure.hint}}}},
        "");
    return;
  }
  const bool colour = terminal_.colours && terminal_.err_is_terminal;
  *terminal_.err << (colour ? code(Colour::kRed) : "") << failure.message << (colour ? "\033[0m" : "") << '\n';
  if (!failure.hint.empty()) *terminal_.err << indented(failure.hint) << '\n';
  terminal_.err->flush();
}

std::string Output::paint(Colour colour, std::string_view text) const {
  if (!terminal_.colours || !terminal_.out_is_terminal || colour == Colour::kPlain) return std::string(text);
  return std::string(code(colour)) + std::string(text) + "\033[0m";
}

std::string Table::text(const Output& output) const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - width(row[i]) + 2, ' ');
    }
    text += (&row == rows_.data() ? output.paint(Colour::kDim, line) : line) + "\n";
  }
  return text;
}

std::string human_size(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  std::array<char, 32> text{};
  const char* unit = bytes < 1024 * 1024 ? "KiB" : "MiB";
  const double scale = bytes < 1024 * 1024 ? 1024.0 : 1024.0 * 1024.0;
  std::snprintf(text.data(), text.size(), "%.1f %s", static_cast<double>(bytes) / scale, unit);
  return text.data();
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "-";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f %%", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return text.data();
}

std::string human_time(std::uint64_t seconds) {
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 120 * 60) return std::to_string((seconds + 59) / 60) + " min";
  return std::to_string((seconds + 3599) / 3600) + " h";
}

std::string printable(std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const auto first = static_cast<unsigned char>(text.front());
    const bool control = (first < 0x20 && first != '\t') || first == 0x7F;
    const bool c1 = length == 2 && first == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0;
    clean += length == 0 || control || c1 ? std::string("\xEF\xBF\xBD") : std::string(text.substr(0, length));
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return clean;
}

}  // namespace mv::cli
