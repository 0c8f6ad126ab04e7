// mvctl events: what happens to the devices, as it happens.
#include <memory>

#include "cli/cloud_command.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/log_printer.h"

namespace mv::cli {
namespace {

using nlohmann::ordered_json;

void print_event(Output& output, const transport::ServerEvent& event) {
  ordered_json document = ordered_json::parse(event.data, nullptr, false);
  if (!document.is_object()) return output.warning("the cloud sent an event that is not JSON");
  if (!document.contains("kind") && event.type != "message") document["kind"] = event.type;
  output.record(document, event_line(document));
}

Result follow_events(Program& program, CloudClient& cloud, const std::string& device_name) {
  transport::FormFields query;
  if (!device_name.empty()) {
    const auto device = cloud.device(device_name);
    if (!device) return tl::make_unexpected(device.error());
    query.emplace_back("Device", device->sid);
  }
  Output& output = program.output();
  return cloud.events(
      "/Events", query, true, [&](const transport::ServerEvent& event) { return print_event(output, event), true; },
      [&](const std::string& why) { output.note(why + "; connecting again"); });
}

}  // namespace

void add_events(Command& root, Program& program) {
  Command& events = root.add("events", "what happens to the devices: links, updates, crashes, debugging");
  auto device = std::make_shared<std::string>();
  events.option("--device", "DEVICE", device.get(), "only those of one device").complete(Completion::kDevice);
  events.example("mvctl events", "all devices, until Ctrl-C");
  events.example("mvctl events --device porch --output json", "one JSON object a line, for a program");
  events.run([device, &program] {
    return with_cloud(program, [&](CloudClient& cloud) { return follow_events(program, cloud, *device); });
  });
}

}  // namespace mv::cli
