// mvctl logs: what a device's application, and its microvisor, have to say.
#include <memory>

#include "cli/cloud_command.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/log_printer.h"

namespace mv::cli {
namespace {

using nlohmann::ordered_json;

struct LogOptions {
  std::string device;
  std::string since;
  bool follow = false;
  bool no_follow = false;
};

// "5m" and "-5m" mean the same: five minutes ago. A time in RFC 3339 is passed on as it is.
std::string since_value(const std::string& since) { return parse_duration(since) ? "-" + since : since; }

void print_record(Output& output, const transport::ServerEvent& event) {
  const ordered_json record = ordered_json::parse(event.data, nullptr, false);
  if (!record.is_object()) return output.warning("the cloud sent a log record that is not JSON");
  output.record(record, log_line(record));
}

Result follow_logs(Program& program, CloudClient& cloud, const LogOptions& options) {
  const auto device = cloud.device(options.device);
  if (!device) return tl::make_unexpected(device.error());
  Output& output = program.output();
  if (!device->online) output.note(device->label() + " is offline: its log goes on when it is back");
  const ordered_json logging = device->document.value("logging", ordered_json());
  if (logging.is_object() && logging.value("enabled", ordered_json()) == ordered_json(false)) {
    output.note("logging of " + device->label() + " is off: mvctl devices update " + device->label() +
                " --logging on switches it on for 24 hours");
  }
  transport::FormFields query = {{"Follow", options.no_follow ? "false" : "true"}};
  if (!options.since.empty()) query.emplace_back("Since", since_value(options.since));
  return cloud.events(
      "/Devices/" + device->sid + "/Logs", query, !options.no_follow,
      [&](const transport::ServerEvent& event) {
        if (event.type == "log" || event.type == "message") print_record(output, event);
        return true;
      },
      [&](const std::string& why) { output.note(why + "; connecting again"); });
}

}  // namespace

void add_logs(Command& root, Program& program) {
  Command& logs = root.add("logs", "the log of a device, as it is written");
  auto options = std::make_shared<LogOptions>();
  logs.argument("DEVICE", &options->device, "name, id or unique prefix").complete(Completion::kDevice);
  logs.option("--since", "TIME", &options->since, "begin so long ago (5m, 2h) or at a time (2026-01-31T12:00:00Z)");
  logs.flag("--follow,-f", options->follow, "go on until Ctrl-C (as without it)");
  logs.flag("--no-follow", options->no_follow, "end after what is there");
  logs.example("mvctl logs porch --since 5m", "the last five minutes, and on until Ctrl-C");
  logs.example("mvctl logs porch --since 1h --no-follow --output json", "one JSON object a line, for a program");
  logs.run([options, &program] {
    return with_cloud(program, [&](CloudClient& cloud) { return follow_logs(program, cloud, *options); });
  });
}

}  // namespace mv::cli
