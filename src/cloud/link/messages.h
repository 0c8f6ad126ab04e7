// Between the messages of the device link and the cloud's own records.
#pragma once

#include <string>
#include <string_view>

#include "cloud/store/store.h"
#include "wire/proto/link.pb.h"

namespace mv::cloud {

// Device text and enumerators are outside input: text is repaired, a number that is no enumerator stays a number.
Report to_report(const wire::AppReport& message, Microseconds now);
// The report half only.
DeviceMicrovisor to_microvisor_report(const wire::MicrovisorReport& message);
DeviceFacts to_facts(const wire::Hello& hello);
LogRecord to_log_record(const wire::LogRecord& message, std::uint64_t boot_id, Microseconds now);

// True if the device is somewhere else in its life, or far enough on with a download, for an event to be recorded.
bool worth_an_event(const Report& before, const Report& after);

// True if something that the Store keeps is not as it was, apart from a download that went on a little and from time
// that passed as it does.
bool worth_storing(const Report& before, const Report& after);

// "running", "downloading", ...
std::string_view state_name(int app_state);
// "runs", "downloading", "on-trial", ...
std::string_view microvisor_state_name(int state);
// "cold-boot", "debugger-restart", ...
std::string_view wake_reason_name(int reason);
// "microvisor booted: cold-boot", or what the device itself says of it
std::string describe_boot(const DeviceFacts& facts);
// "microvisor 0.1.0 downloads its successor", "microvisor 0.1.0 refused an update: ..."
std::string describe(const DeviceMicrovisor& report);
// "downloading 4096 of 18214 bytes", "refused: ..."
std::string describe(const Report& report);

}  // namespace mv::cloud
