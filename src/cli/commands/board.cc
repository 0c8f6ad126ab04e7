// mvctl board: what a board on the desk says of itself.
#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <boost/asio/signal_set.hpp>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/commands.h"
#include "cli/program.h"
#include "cli/selftest_model.h"
#include "cli/usb_boards.h"
#include "usb/selftest_run.h"

namespace mv::cli {
namespace {

using nlohmann::ordered_json;
using usb::SelftestItem;
using usb::SelftestStart;

struct SelftestOptions {
  std::string serial;
  std::string tty;
  bool emulated = false;
  std::string firmware;
  std::string only;
};

constexpr const char* kNextWhenSilent =
    "is the program on the board?  mvctl usb flash -i build/firmware/stm32u585/selftest.bin@boot-stage\n"
    "then set BOOT0 low, press RESET, and look with a terminal at 115200 baud: it says \"ready\"\n"
    "a microvisor that is there speaks on the same line and answers no orders";

std::string verdict_word(SelftestItem::Verdict verdict) {
  switch (verdict) {
    case SelftestItem::Verdict::kPassed:
      return "ok";
    case SelftestItem::Verdict::kFailed:
      return "failed";
    case SelftestItem::Verdict::kRead:
      return "read";
  }
  return {};
}

ordered_json document(const SelftestItem& item) {
  return {{"event", "item"},
          {"number", item.number},
          {"paragraph", item.paragraph},
          {"what", item.what},
          {"result", verdict_word(item.verdict)},
          {"found", item.found},
          {"expected", item.expected},
          {"where", item.where}};
}

// One run of the command.
class Selftest {
 public:
  Selftest(Program& program, const SelftestOptions& options)
      : output_(program.output()), options_(options), model_(context_), signals_(context_, SIGINT, SIGTERM) {}

  Result run();

 private:
  using Line = tl::expected<std::unique_ptr<usb::SerialLine>, Failure>;

  Line open();
  void started(const SelftestStart& start);
  void begun(const SelftestItem& item);
  void ended(const SelftestItem& item);
  Failure run_failure(const usb::Error& error) const;
  void print_table();
  Result report(const usb::SelftestCounts& counts);

  Output& output_;
  const SelftestOptions& options_;
  std::unique_ptr<usb::Bus> bus_;
  boost::asio::io_context context_;
  SelftestModel model_;
  boost::asio::signal_set signals_;
  std::string label_;
  std::optional<SelftestStart> start_;
  std::unique_ptr<Progress> bar_;
  std::vector<SelftestItem> items_;
};

Selftest::Line Selftest::open() {
  if (options_.emulated) {
    label_ = "the model";
    return model_.start(options_.firmware);
  }
  auto opened = open_board_line(context_, {options_.tty, options_.serial},
                                "see mvctl usb list; without a board: mvctl board selftest --emulated");
  if (!opened) return tl::make_unexpected(opened.error());
  label_ = opened->label;
  bus_ = std::move(opened->bus);
  return std::move(opened->line);
}

void Selftest::started(const SelftestStart& start) {
  start_ = start;
  output_.step("board", fmt::format("{}: {}{}, DBGMCU_IDCODE {}, unique id {}", label_, printable(start.board),
                                    start.is_model && !options_.emulated ? " (a model)" : "", printable(start.chip_id),
                                    printable(start.unique_id)));
  if (output_.json()) {
    output_.record({{"event", "start"},
                    {"version", start.version},
                    {"board", start.board},
                    {"chip_id", start.chip_id},
                    {"unique_id", start.unique_id},
                    {"model", start.is_model},
                    {"items", start.items}},
                   "");
  }
  bar_ = std::make_unique<Progress>(output_, "selftest", start.items);
}

void Selftest::begun(const SelftestItem& item) {
  if (bar_) bar_->update(items_.size(), fmt::format("{} of {}  {}", items_.size() + 1, start_->items, item.paragraph));
}

void Selftest::ended(const SelftestItem& item) {
  items_.push_back(item);
  if (bar_) bar_->update(items_.size());
  if (output_.json()) output_.record(document(item), "");
}

Failure Selftest::run_failure(const usb::Error& error) const {
  Failure failure = usb_failure(error, "the run on " + label_ + " did not come to its end");
  if (!model_.end().empty()) {
    failure.hint = model_.end();
  } else if (error.problem == usb::Problem::kTimeout) {
    failure.hint = start_ ? "unplug the board, plug it in again, and run it again" : kNextWhenSilent;
  } else if (error.problem == usb::Problem::kBadReply) {
    failure.hint = "does another program read the port, or is the cable bad? run it again";
  }
  return failure;
}

void Selftest::print_table() {
  std::vector<std::string> header = {"#", "RESULT", "PARAGRAPH", "WHAT", "FOUND", "EXPECTED"};
  if (output_.verbose()) header.emplace_back("SOURCE");
  Table table(header);
  for (const SelftestItem& item : items_) {
    std::vector<std::string> cells = {std::to_string(item.number), verdict_word(item.verdict),
                                      printable(item.paragraph),   printable(item.what),
                                      printable(item.found),       printable(item.expected)};
    if (output_.verbose()) cells.push_back(printable(item.where));
    table.row(std::move(cells));
  }
  output_.result({}, table.text(output_));
}

Result Selftest::report(const usb::SelftestCounts& counts) {
  if (output_.json()) {
    output_.record({{"event", "end"}, {"ok", counts.passed}, {"failed", counts.failed}, {"read", counts.read}}, "");
  } else if (!items_.empty()) {
    print_table();
  }
  if (items_.empty()) {
    return fail(ExitCode::kNotFound, "no item is called " + printable(options_.only),
                "a name is PARAGRAPH: WHAT, as the table of all items has them; * stands for any characters");
  }
  const std::string total = fmt::format("{} ok, {} failed, {} read", counts.passed, counts.failed, counts.read);
  if (counts.failed == 0) {
    output_.note(total + "; selftest " + printable(start_->version));
    return {};
  }
  std::string where;
  for (const SelftestItem& item : items_) {
    if (item.verdict != SelftestItem::Verdict::kFailed) continue;
    where += fmt::format("{}: {}, expected {}{}\n", item.number, printable(item.found), printable(item.expected),
                         item.where.empty() ? "" : " (" + printable(item.where) + ")");
  }
  return fail(ExitCode::kFailed, fmt::format("{} of {} items do not hold on {}", counts.failed, counts.all(), label_),
              where + "what each item is there for: docs/board-stm32u585.md");
}

Result Selftest::run() {
  auto line = open();
  if (!line) return tl::make_unexpected(line.error());
  std::optional<usb::Expected<usb::SelftestCounts>> outcome;
  usb::SelftestRun run(
      context_, *std::move(line), options_.only,
      {[this](const SelftestStart& start) { started(start); }, [this](const SelftestItem& item) { begun(item); },
       [this](const SelftestItem& item) { ended(item); }},
      [&](const usb::Expected<usb::SelftestCounts>& result) {
        outcome = result;
        context_.stop();
      });
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (!error) context_.stop();
  });
  run.start();
  context_.run();
  bar_.reset();
  if (!outcome) return fail(ExitCode::kFailed, "interrupted; the board ends its run by itself");
  if (!*outcome) return tl::make_unexpected(run_failure(outcome->error()));
  return report(**outcome);
}

Result selftest(Program& program, const SelftestOptions& options) {
  const int ways = (options.emulated ? 1 : 0) + (options.tty.empty() ? 0 : 1) + (options.serial.empty() ? 0 : 1);
  if (ways > 1) return fail(ExitCode::kUsage, "the board is named twice", "give one of --serial, --tty and --emulated");
  if (!options.firmware.empty() && !options.emulated) {
    return fail(ExitCode::kUsage, "--firmware is for --emulated", "on a board runs what was flashed: mvctl usb flash");
  }
  if (!usb::is_selftest_glob(options.only)) {
    return fail(ExitCode::kUsage, "--only takes up to 63 characters of printable ASCII");
  }
  return Selftest(program, options).run();
}

}  // namespace

void add_board(Command& root, Program& program) {
  Command& family = root.add("board", "a board on the desk: does its chip do what the microvisor relies on?");
  family.example("mvctl board selftest", "the one board that is plugged in");
  family.example("mvctl board selftest --emulated", "the same program on the model of the chip");
  Command& command = family.add("selftest", "run the conformance program on a board, and print what it found");
  auto options = std::make_shared<SelftestOptions>();
  command.option("--serial", "SERIAL", &options->serial, "which board: serial number, its beginning, or path")
      .shows_default("the only one");
  command.option("--tty", "PATH", &options->tty, "a serial port of the kernel, as /dev/ttyACM0")
      .complete(Completion::kFile);
  command.flag("--emulated", options->emulated, "no board: the model of the STM32U585, in QEMU");
  command.option("--firmware", "DIR", &options->firmware, "with --emulated: where selftest.bin is")
      .shows_default("beside mvctl")
      .complete(Completion::kDirectory);
  command.option("--only", "GLOB", &options->only, "only items whose \"PARAGRAPH: WHAT\" fits; * and ? are wild");
  command.describe(
      "Tries on the chip what the microvisor relies on, item by item, and reads what only a chip can tell: its option "
      "bytes and ids, how long its flash and the NOR take, whether its oscillators start. The program that does it "
      "stands where the boot stage stands, and is flashed like it: mvctl usb flash -i selftest.bin@boot-stage. It "
      "speaks on ST-LINK's virtual COM port.\n\n"
      "An item is ok, failed, or read: told without a judgement, because each chip has its own, or because the model "
      "cannot know it. --verbose says where each expected value is written. The exit code is 0 if none failed, 1 if "
      "one did. With --output json there is one object for the "
      "start, for each item as it ends, and for the end.");
  command.example("mvctl board selftest --serial 0035", "a board by the beginning of its serial number");
  command.example("mvctl board selftest --emulated --only 'RM0456 7*'", "what concerns the flash, on the model");
  command.run([options, &program] { return selftest(program, *options); });
}

}  // namespace mv::cli
