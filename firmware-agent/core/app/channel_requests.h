// What an application asks over a channel, looked at as a whole: HTTP requests, configuration keys, MQTT.
//
// Each function follows the structure at `address`, which its caller has found readable, through all its pointers. It
// answers OKAY, or what is wrong first:
//   LATEFAULT               a pointer in it leads outside the application's memory
//   TOOMANYELEMENTS         more headers, topics or certificates than there may be
//   REQUIREDELEMENTMISSING  a text that must not be empty is
//   INVALIDBUFFERSIZE       it does not fit the channel's send buffer of `send_size` bytes
// and what else is said below. Reads only; holds nothing.
#pragma once

#include <cstdint>

#include "core/platform/guest.h"
#include "sdk/include/mv_syscalls.h"

namespace mv::app {

inline constexpr std::uint32_t kMaxHttpHeaders = 32;
inline constexpr std::uint32_t kMaxConfigKeys = 32;
inline constexpr std::uint32_t kMaxConfigKeyLength = 100;  // bytes
inline constexpr std::uint32_t kMaxTopics = 8;
inline constexpr std::uint32_t kMaxCertificates = 8;  // of a chain

MvStatus check_http_request(GuestMemory& memory, std::uint32_t address, std::uint32_t send_size);

// Also TOOMANYCONFIGKEYS, UNKNOWNCONFIGSCOPE, UNKNOWNCONFIGSTORE, and INVALIDCONFIGKEY for a key that is empty, longer
// than kMaxConfigKeyLength, or not printable ASCII.
MvStatus check_config_request(GuestMemory& memory, std::uint32_t address, std::uint32_t send_size);

// Also INVALIDAUTHENTICATION: a method that is none, or a user name beside a client's certificate.
MvStatus check_mqtt_connect(GuestMemory& memory, std::uint32_t address);
MvStatus check_mqtt_subscribe(GuestMemory& memory, std::uint32_t address);
MvStatus check_mqtt_unsubscribe(GuestMemory& memory, std::uint32_t address);
MvStatus check_mqtt_publish(GuestMemory& memory, std::uint32_t address);

// Where a response is to be written: LATEFAULT if a place in it is not the application's to write.
MvStatus check_mqtt_acknowledgements(GuestMemory& memory, std::uint32_t address);  // of subscribe and unsubscribe
MvStatus check_mqtt_message(GuestMemory& memory, std::uint32_t address);
MvStatus check_mqtt_lost_message(GuestMemory& memory, std::uint32_t address);
MvStatus check_config_item(GuestMemory& memory, std::uint32_t address);

}  // namespace mv::app
