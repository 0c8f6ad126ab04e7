// Every number of the device link's behaviour in time.
#pragma once

#include <cstdint>

namespace mv::link::timing {

inline constexpr std::uint64_t kMillisecond = 1000;  // microseconds
inline constexpr std::uint64_t kSecond = 1000 * kMillisecond;

// Back-off between attempts: doubles from the first to the longest; of each wait a random part of up to half is left
// out, so that a thousand devices that lost the same cell do not come back in step.
inline constexpr std::uint64_t kFirstRetry = 1 * kSecond;
inline constexpr std::uint64_t kLongestRetry = 300 * kSecond;

// A connection that held so long counts as stable: the next wait is the first one again.
inline constexpr std::uint64_t kStable = 30 * kSecond;

// An attempt as a whole, from the modem's first command to the cloud's Welcome; and its part after the dialling.
inline constexpr std::uint64_t kAttempt = 240 * kSecond;
inline constexpr std::uint64_t kGreeting = 60 * kSecond;

// The longest wait that a refusing cloud may ask for.
inline constexpr std::uint64_t kLongestRefusal = 3600 * kSecond;

// Limits of the keep-alive interval that the cloud asks for, and how long an answer to PING may take.
inline constexpr std::uint64_t kShortestKeepAlive = 1 * kSecond;
inline constexpr std::uint64_t kLongestKeepAlive = 3600 * kSecond;
inline constexpr std::uint64_t kPong = 20 * kSecond;

// The longest silence that the device tries by itself (KeepAlive): so long may a network that forgot us go unnoticed.
inline constexpr std::uint64_t kLongestLearned = 1800 * kSecond;

// How long the last bytes of a connection that we close may take.
inline constexpr std::uint64_t kFarewell = 5 * kSecond;

// While somebody debugs, blob credit waits until the debug stream has been quiet for so long, and then goes in doses,
// each as long after the last; all at once when the debug stream has been idle.
inline constexpr std::uint64_t kDebugQuiet = 100 * kMillisecond;
inline constexpr std::uint64_t kDebugIdle = 1 * kSecond;

// How long an acknowledgement may take before what it is for is sent again.
inline constexpr std::uint64_t kAcknowledge = 30 * kSecond;

// How often the crash records are looked at while connected, when nothing else says that there is one.
inline constexpr std::uint64_t kCrashCheck = 1 * kSecond;

}  // namespace mv::link::timing
