// mvctl trace: values at a line of the running application, without stopping it.
#include <algorithm>
#include <memory>
#include <optional>

#include "cli/cloud_command.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/expression_text.h"
#include "cli/trace_session.h"

namespace mv::cli {
namespace {

struct TraceOptions {
  DebugChoice choice;
  std::string location;
  std::vector<std::string> expressions;
  std::string condition;
  std::optional<std::uint32_t> count;
  std::optional<std::chrono::milliseconds> duration;
};

bool is_plain(const std::string& text) {
  constexpr std::size_t kLongest = 512;
  return text.size() <= kLongest &&
         std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

Result take_texts(const TraceOptions& options, TracePlan& plan) {
  for (const std::string& list : options.expressions)
    for (std::string& one : split_expressions(list)) plan.expressions.push_back(std::move(one));
  plan.location = options.location;
  plan.condition = options.condition;
  const auto empty = [](const std::string& text) { return text.empty(); };
  if (plan.expressions.empty() || std::any_of(plan.expressions.begin(), plan.expressions.end(), empty))
    return fail(ExitCode::kUsage, "an expression is missing", "for example:  --expr 'raw, (float)temp/10'");
  if (!is_plain(plan.location) || !is_plain(plan.condition) ||
      !std::all_of(plan.expressions.begin(), plan.expressions.end(), is_plain))
    return fail(ExitCode::kUsage, "a place, a condition and an expression are one line of at most 512 characters each");
  if (options.count && *options.count == 0) return fail(ExitCode::kUsage, "--count is 1 at least");
  return {};
}

Result trace(Program& program, const TraceOptions& options) {
  TracePlan plan;
  plan.count = options.count;
  plan.duration = options.duration;
  if (auto taken = take_texts(options, plan); !taken) return taken;
  auto context = program.context();
  if (!context) return tl::make_unexpected(context.error());
  plan.debug.context = *context;
  std::string summary;
  const auto planned =
      with_cloud(program, [&](CloudClient& cloud) { return plan_debug(cloud, options.choice, plan.debug, summary); });
  if (!planned) return planned;
  if (plan.debug.elf_path.empty())
    return fail(ExitCode::kNotFound, "no ELF of the build that " + plan.debug.label + " runs is found here",
                "name it:  --elf build/app.elf");
  program.output().step("device", printable(summary));
  return run_trace(program, std::move(plan));
}

}  // namespace

void add_trace(Command& root, Program& program) {
  Command& command = root.add("trace", "watch expressions at a line while the application runs on");
  command.describe(
      "Collects expressions of C each time the application reaches a line, without stopping it, and prints them as "
      "they come, with the device's time since it booted. GDB compiles the expressions and prints the values; the "
      "device only reads what they name. Hits that come faster than the link carries them are counted. The debug key "
      "is needed, as for mvctl debug, and only one of the two at a time.");
  auto options = std::make_shared<TraceOptions>();
  add_debug_choice(command, options->choice);
  command.option("--at,-a", "PLACE", &options->location, "FILE:LINE, or a function").required();
  command.option("--expr,-x", "EXPR", &options->expressions, "what to collect: expressions of C, separated by commas")
      .required();
  command.option("--if", "COND", &options->condition, "only when this is true; evaluated on the device");
  command.option("--count,-n", "N", &options->count, "end after so many hits");
  command.option("--for", "TIME", &options->duration, "end after so long (30s, 5m)");
  command.example("mvctl trace porch --at sensor.c:88 --expr 'raw, (float)temp/10'", "each time line 88 is reached");
  command.example("mvctl trace porch --at main.c:41 --expr state --if 'errors > 3' --count 10 --output json",
                  "the first ten times that it is worth it, for a program");
  command.run([options, &program] { return trace(program, *options); });
}

}  // namespace mv::cli
