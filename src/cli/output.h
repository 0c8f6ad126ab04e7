// What mvctl prints: lines for a person or JSON for a program, results on stdout, everything else on stderr.
//
// With --output json a command prints one document, or one object a line for streams, each with "schema": 1.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "cli/failure.h"

namespace mv::cli {

enum class Format { kText, kJson };
enum class Colour { kPlain, kBold, kDim, kRed, kGreen, kYellow, kCyan };

// Where output goes and what is there to look at it.
struct Terminal {
  std::ostream* out;
  std::ostream* err;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool colours = false;  // NO_COLOR is honoured by whoever fills this in
  int columns = 80;
  std::istream* in = nullptr;  // where answers to questions come from
  bool in_is_terminal = false;
};

// The process's own streams.
Terminal process_terminal();

class Output;

// A long piece of work. On a terminal one line that is redrawn; otherwise a line when it starts and one when it ends.
// Ends its line when destroyed. Silent with --quiet and with JSON.
class Progress {
 public:
  Progress(Output& output, std::string label, std::uint64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `done` of `total` (units are the caller's, bytes mostly); `detail` stands behind the bar: "2.1 KiB/s".
  void update(std::uint64_t done, std::string_view detail = {});

  // Replaces the bar by this text: "weather 1.4.3, confirmed after 12 s".
  void finish(std::string_view text);

 private:
  void draw(std::string_view detail);

  Output& output_;
  std::string label_;
  std::uint64_t total_;
  std::uint64_t done_ = 0;
  int drawn_percent_ = -1;
  bool finished_ = false;
};

class Output {
 public:
  explicit Output(const Terminal& terminal) : terminal_(terminal) {}

  void set_format(Format format) { format_ = format; }
  void set_quiet(bool quiet) { quiet_ = quiet; }
  void set_verbose(bool verbose) { verbose_ = verbose; }

  bool json() const { return format_ == Format::kJson; }
  bool quiet() const { return quiet_; }
  bool verbose() const { return verbose_; }
  const Terminal& terminal() const { return terminal_; }

  // The result. `text` is printed as it is, with a newline added if it has none; `document` gets "schema": 1 in front.
  // Exactly one of the two is printed.
  void result(const nlohmann::ordered_json& document, std::string_view text);

  // One element of a stream: the same, on one line, flushed.
  void record(const nlohmann::ordered_json& document, std::string_view text);

  // "label     text" on stderr: what is going on. Silent with --quiet and with JSON.
  void step(std::string_view label, std::string_view text);

  // A line on stderr, silent with --quiet and with JSON.
  void note(std::string_view text);

  // A line on stderr with --verbose only.
  void detail(std::string_view text);

  // A line on stderr, with colour; printed with --quiet too, not with JSON.
  void warning(std::string_view text);

  void failure(const Failure& failure);

  // `text` in colour if stdout (or stderr) shows colours.
  std::string paint(Colour colour, std::string_view text) const;

 private:
  Terminal terminal_;
  Format format_ = Format::kText;
  bool quiet_ = false;
  bool verbose_ = false;
};

// Columns, aligned, two blanks apart; the header is dim on a terminal. Counts characters of UTF-8, not bytes.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  std::string text(const Output& output) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// "18.2 KiB", "1.0 MiB", "212 B".
std::string human_size(std::uint64_t bytes);

// "230,488".
std::string grouped(std::uint64_t number);

// How much `part` is of `whole`: "0.64 %".
std::string percent(std::uint64_t part, std::uint64_t whole);

// "45 s", "3 min", "2 h".
std::string human_time(std::uint64_t seconds);

// `text` with control characters and broken UTF-8 replaced, so that what a device or a file says cannot drive the
// terminal.
std::string printable(std::string_view text);

}  // namespace mv::cli
