#include "run.h"

#include "board.h"
#include "measured.h"
#include "output.h"
#include "report.h"

extern "C" const conformance::Item conf_items_start[], conf_items_end[];

namespace conformance {
namespace {

// A run, in memory that is not cleared at a reset.
struct Run {
  std::uint32_t mark;      // kUnderWay, or nothing is under way
  std::uint32_t item;      // counted from 0
  std::uint32_t is_told;   // its verdict has been said
  std::uint32_t expected;  // the reset that it is about, as a flag of RCC_CSR; 0: none
  std::uint32_t check;     // of what stands above: RAM is anything after power-on
  Counts counts;
  char pattern[64];
};
__attribute__((section(".kept"))) Run run;
constexpr std::uint32_t kUnderWay = 0x52756e21;

std::uint32_t check_of_run() { return ~(run.mark + run.item * 3 + run.is_told * 5 + run.expected * 7); }

void keep(std::uint32_t mark, std::uint32_t item, bool is_told) {
  run.mark = mark;
  run.item = item;
  run.is_told = is_told;
  run.check = check_of_run();
}

std::uint32_t item_count() { return static_cast<std::uint32_t>(conf_items_end - conf_items_start); }

void verdict(const char* word, std::uint32_t& count, const char* found, const char* expected, const char* where) {
  ++count;
  say_verdict(word, run.item + 1, found, expected, where);
  keep(kUnderWay, run.item, true);
}

// `*` stands for any characters, `?` for one; letters count as they are. As fnmatch, without brackets.
bool matches(const char* pattern, const char* text) {
  const char *star = nullptr, *from = nullptr;
  while (*text != 0) {
    if (*pattern == '*') {
      star = ++pattern;
      from = text;
    } else if (*pattern == '?' || *pattern == *text) {
      ++pattern;
      ++text;
    } else if (star != nullptr) {
      pattern = star;
      text = ++from;
    } else {
      return false;
    }
  }
  while (*pattern == '*') ++pattern;
  return *pattern == 0;
}

// An item that is about a reset has to end with it. Without one it leaves the chip so that only a reset helps.
void end_of_item() {
  if (run.expected == 0) {
    if (!run.is_told) verdict("pass", run.counts.passed, "", "", "");
    return;
  }
  if (!run.is_told) note_failure("no reset", "the reset that the item is about", "");
  go_on_after_reset();
}

bool is_wanted(std::uint32_t item) {
  Text name;
  name << conf_items_start[item].paragraph << ": " << conf_items_start[item].promise;
  return run.pattern[0] == 0 || matches(run.pattern, name.text());
}

void run_from(std::uint32_t first) {
  for (std::uint32_t item = first; item < item_count(); ++item) {
    if (!is_wanted(item)) continue;
    run.expected = 0;
    keep(kUnderWay, item, false);
    say_item(item + 1, conf_items_start[item]);
    board_feed_watchdog();
    reset_debug();
    run_item(conf_items_start[item].run);
    reset_debug();
    end_of_item();
  }
  keep(0, 0, false);
  drop_input();  // before the end is said: what comes after it is the next order
  say_end(run.counts);
}

void begin_run(const char* pattern) {
  std::uint32_t length = 0;
  for (; pattern[length] != 0 && length + 1 < sizeof(run.pattern); ++length) run.pattern[length] = pattern[length];
  run.pattern[length] = 0;
  run.counts = {};
  board_forget_reset_cause();  // so that a reset in the middle can be told from the RESET button
  std::uint32_t wanted = 0;
  for (std::uint32_t item = 0; item < item_count(); ++item) wanted += is_wanted(item) ? 1 : 0;
  say_start(wanted);
  run_from(0);
}

// The reset came from within an item: it is what the item expects, or the item did it unawares, or the watchdog found
// it stuck.
void go_on_if_under_way() {
  const std::uint32_t cause = board_reset_cause();
  const bool under_way =
      run.mark == kUnderWay && run.check == check_of_run() && run.item < item_count() && board_reset_itself(cause);
  if (!under_way) return keep(0, 0, false);
  board_forget_reset_cause();
  if (!run.is_told && (cause & run.expected) != 0) {
    verdict("pass", run.counts.passed, "", "", "");
  } else if (!run.is_told) {
    Text found;
    found << (board_reset_by_watchdog(cause) ? "the watchdog reset the chip" : "the chip was reset") << ", RCC_CSR "
          << cause;
    verdict("fail", run.counts.failed, found.text(), "the item comes to its end", "");
  }
  run_from(run.item + 1);
}

// "run", or "run GLOB". Empty lines do nothing, so that a sender can begin with one.
void obey(const char* order) {
  if (*order == 0) return;
  const char* word = "run";
  while (*word != 0 && *order == *word) ++order, ++word;
  if (*word != 0 || (*order != 0 && *order != ' ')) return write_line("what\tan order is: run, or: run GLOB");
  begin_run(*order == ' ' ? order + 1 : order);
}

void judge(Text& found, Text& expected, bool is_right, const char* source) {
  if (is_right) return verdict("pass", run.counts.passed, found.text(), expected.text(), source);
  note_failure(found.text(), expected.text(), source);
  leave_item();
}

void write(Text& text, Range range, const char* unit, bool hex) {
  const auto number = [&](std::uint32_t value) { hex ? text << value : text.decimal(value); };
  number(range.low);
  if (range.low != range.high) {
    text << " to ";
    number(range.high);
  }
  if (*unit != 0) text << " " << unit;
}

bool contains(Range range, std::uint32_t value) { return range.low <= value && value <= range.high; }

}  // namespace

void note_failure(const char* found, const char* expected, const char* where) {
  verdict("fail", run.counts.failed, found, expected, where);
}

void go_on_after_reset() { board_reset(); }

void expect_reset(std::uint32_t cause) {
  run.expected = cause;
  keep(kUnderWay, run.item, false);
}

void read_back(std::uint32_t found, Range expected, const char* source) {
  Text value, range;
  write(value, exactly(found), "", true);
  write(range, expected, "", true);
  judge(value, range, contains(expected, found), source);
}

void counted(std::uint32_t found, Range expected, const char* unit, const char* source) {
  Text value, range;
  write(value, exactly(found), unit, false);
  write(range, expected, unit, false);
  judge(value, range, contains(expected, found), source);
}

void timed(std::uint32_t found, Range expected, const char* unit, const char* source) {
  if (!board_is_model()) return counted(found, expected, unit, source);
  Text value, range;
  write(value, exactly(found), unit, false);
  write(range, expected, unit, false);
  verdict("read", run.counts.read, value.text(), range.text(), source);
}

void told(const char* found, const char* source) { verdict("read", run.counts.read, found, "", source); }

void told(std::uint32_t found, const char* source) {
  Text value;
  value << found;
  told(value.text(), source);
}

void obey_orders() {
  set_up_line();
  go_on_if_under_way();
  say_ready();
  for (char order[72];;) {
    board_feed_watchdog();
    if (read_line(order, sizeof(order))) obey(order);
  }
}

}  // namespace conformance
