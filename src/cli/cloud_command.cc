#include "cli/cloud_command.h"

#include <chrono>
#include <ctime>

#include "cli/interrupt.h"

namespace mv::cli {

Result with_cloud(Program& program, const std::function<Result(CloudClient&)>& work) {
  const auto context = program.context();
  if (!context) return tl::make_unexpected(context.error());
  auto client = CloudClient::make(*context);
  if (!client) return tl::make_unexpected(client.error());
  const InterruptGuard guard;
  Result result = work(*client);
  for (const std::string& line : client->take_trace()) program.output().detail(line);
  return result;
}

Command& add_list(Command& family, Program& program, Result (*list)(Program&, CloudClient&), const char* summary) {
  const auto run = [list, &program] {
    return with_cloud(program, [&](CloudClient& cloud) { return list(program, cloud); });
  };
  family.run(run);
  Command& command = family.add("list", summary);
  command.run(run);
  return command;
}

std::string short_hash(const std::string& hash) {
  const std::size_t colon = hash.find(':');
  const std::string digits = colon == std::string::npos ? hash : hash.substr(colon + 1);
  return digits.empty() ? "-" : digits.substr(0, 12);
}

std::string short_sid(const std::string& sid) {
  return sid.size() <= 12 ? sid : sid.substr(0, 6) + "…" + sid.substr(sid.size() - 2);
}

std::string how_long_ago(const std::string& time) {
  if (time.empty()) return "-";
  std::tm fields{};
  if (::strptime(time.c_str(), "%Y-%m-%dT%H:%M:%S", &fields) == nullptr) return time;
  const auto then = std::chrono::system_clock::from_time_t(::timegm(&fields));
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now() - then).count();
  if (seconds < 60) return "now";
  if (seconds < 3600) return std::to_string(seconds / 60) + " min ago";
  if (seconds < 48 * 3600) return std::to_string(seconds / 3600) + " h ago";
  return std::to_string(seconds / (24 * 3600)) + " days ago";
}

}  // namespace mv::cli
