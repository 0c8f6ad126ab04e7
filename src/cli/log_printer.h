// One record of a device's log, or one event, as a line for a person.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace mv::cli {

// "12:00:01.204  counter: hello": the local time of day and the text, made safe for a terminal. The time is the uptime
// ("+12.345 s") while the device did not know the wall time.
std::string log_line(const nlohmann::ordered_json& record);

// "12:00:01.204  porch  online  ..." from {time, device, kind, detail}.
std::string event_line(const nlohmann::ordered_json& event);

}  // namespace mv::cli
