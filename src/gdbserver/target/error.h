// What goes wrong between a debugger and a device, as one sentence for a person.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <tl/expected.hpp>

namespace mv::gdb {

enum class ErrorCode : std::uint8_t {
  kBadRequest,  // the device does not understand
  kBadAddress,  // not the application's memory
  kNotHalted,
  kNoBreakpointFree,
  kBusy,           // somebody else debugs the device
  kNoApplication,  // none is installed
  kNotRunning,     // it waits for its restart, for example
  kUnsupported,
  kOffline,       // the device is not connected to the cloud
  kUnreachable,   // the cloud cannot be reached
  kRefused,       // the device does not take our key, or there is none it would take
  kUnauthorised,  // the cloud does not take our token
  kNotFound,      // no such device
  kSessionLost,   // the device restarted: breakpoints and the halt are gone
  kProtocol,      // the device said something that makes no sense
  kTimeout,
};

struct Error {
  ErrorCode code;
  std::string text;
};

template <class T>
using Result = tl::expected<T, Error>;

// Called once, on the thread of the io_context, never from within the call that took it unless that says so.
template <class T>
using Handler = std::function<void(Result<T>)>;

inline tl::unexpected<Error> failure(ErrorCode code, std::string text) {
  return tl::make_unexpected(Error{code, std::move(text)});
}

}  // namespace mv::gdb
