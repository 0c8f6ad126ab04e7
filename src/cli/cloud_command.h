// What the commands that talk to the cloud share.
#pragma once

#include <functional>
#include <string>

#include "cli/cloud_client.h"
#include "cli/command.h"
#include "cli/program.h"

namespace mv::cli {

// Runs `work` with a client of the chosen cloud; prints what was sent with --verbose. Ctrl-C ends a request.
Result with_cloud(Program& program, const std::function<Result(CloudClient&)>& work);

// A family that lists what there is, by its own name and by `list`: "mvctl devices", "mvctl devices list". Returns the
// latter.
Command& add_list(Command& family, Program& program, Result (*list)(Program&, CloudClient&), const char* summary);

// "sha256:1a2b..." shortened to what a person compares; an empty hash is "-".
std::string short_hash(const std::string& hash);

// "UV91e0...07": enough to tell devices apart in a table.
std::string short_sid(const std::string& sid);

// "now", "3 min ago", "2 days ago" from an RFC 3339 time in UTC; the text itself if it is none, "-" if it is empty.
std::string how_long_ago(const std::string& time);

}  // namespace mv::cli
