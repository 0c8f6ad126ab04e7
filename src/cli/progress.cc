#include <algorithm>
#include <ostream>

#include "cli/output.h"

namespace mv::cli {
namespace {

constexpr int kBarCells = 20;

std::string bar(int percent) {
  const int full = percent * kBarCells / 100;
  std::string cells;
  for (int i = 0; i < kBarCells; ++i) cells += i < full ? "█" : "░";
  return cells;
}

std::string padded(std::string text) {
  if (text.size() < 10) text.append(10 - text.size(), ' ');
  return text;
}

}  // namespace

Progress::Progress(Output& output, std::string label, std::uint64_t total)
    : output_(output), label_(padded(std::move(label))), total_(total) {
  draw({});
}

Progress::~Progress() {
  if (!finished_) finish(done_ >= total_ ? "done" : "stopped");
}

void Progress::update(std::uint64_t done, std::string_view detail) {
  done_ = std::min(done, total_);
  draw(detail);
}

void Progress::draw(std::string_view detail) {
  const Terminal& terminal = output_.terminal();
  if (finished_ || output_.quiet() || output_.json() || !terminal.err_is_terminal) return;
  const int percent = total_ == 0 ? 0 : static_cast<int>(done_ * 100 / total_);
  if (percent == drawn_percent_ && detail.empty()) return;
  drawn_percent_ = percent;
  // Carriage return and "erase to end of line": the line is redrawn in place.
  *terminal.err << '\r' << label_ << bar(percent) << ' ' << percent << " %  " << detail << "\033[K" << std::flush;
}

void Progress::finish(std::string_view text) {
  if (finished_) return;
  finished_ = true;
  if (output_.quiet() || output_.json()) return;
  const Terminal& terminal = output_.terminal();
  *terminal.err << (terminal.err_is_terminal ? "\r" : "") << label_ << text
                << (terminal.err_is_terminal ? "\033[K" : "") << '\n'
                << std::flush;
}

}  // namespace mv::cli
