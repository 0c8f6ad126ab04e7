// How long a device's log is sent: a day at a time, as on the original platform.
#pragma once

#include "cloud/services.h"

namespace mv::cloud {

inline constexpr Microseconds kLoggingTime = 24LL * 3600 * 1'000'000;

// On for kLoggingTime from `now`, also if it was on already; or off. The caller stores it.
void switch_logging(Desired& desired, bool on, Microseconds now);

// False once its time is over, whatever the Store says until somebody asks it.
bool logging_is_on(const Desired& desired, Microseconds now);

// Switches it off in the Store, and records the event, if its time is over; `device` as the Store then has it.
Stored<void> end_logging_in_time(Services& services, Device& device);

}  // namespace mv::cloud
