#include "core/app/test_calls.h"

#include <array>

namespace mv::app {
namespace {

constexpr std::uint32_t kAlignment = 512;  // of the buffer, and its length

}  // namespace

// The buffer is checked and not used: what is logged goes straight to the console.
MvStatus TestCalls::logging_init(std::uint32_t buffer, std::uint32_t length) {
  if (!test_mode_) return MV_STATUS_UNAVAILABLE;
  if (buffer % kAlignment != 0) return MV_STATUS_INVALIDBUFFERALIGNMENT;
  if (length == 0 || length % kAlignment != 0) return MV_STATUS_INVALIDBUFFERSIZE;
  if (!memory_.writable(buffer, length)) return MV_STATUS_PARAMETERFAULT;
  logging_ = true;
  return MV_STATUS_OKAY;
}

// False: the console has no room, and is worth waiting for.
bool TestCalls::put(char character) {
  if (!board_.put_console(character)) {
    const std::uint64_t now = clock_.uptime_us();
    if (console_full_since_us_ == 0) console_full_since_us_ = now;
    if (now - console_full_since_us_ < kConsolePatience) return false;
  }
  console_full_since_us_ = 0;
  return true;
}

// A character at a time, and a new line instead of the last: a length of 0x10000 stands for "but for the new line".
Progress TestCalls::log(Arguments arguments) {
  constexpr std::uint32_t kLineEnds = 0x10000;
  if (!logging_) return MV_STATUS_UNAVAILABLE;
  if (arguments[1] == kLineEnds) return put('\n') ? Progress(MV_STATUS_OKAY) : kCallAgain;
  const std::uint32_t length = arguments[1] & 0xffffU;
  if (length > kMaxMessage) return MV_STATUS_LOGMESSAGETOOLONG;
  if (!memory_.readable(arguments[0], length)) return MV_STATUS_PARAMETERFAULT;
  std::array<std::uint8_t, 1> character = {'\r'};
  if (length != 0 && !memory_.copy_in(character, arguments[0])) return MV_STATUS_PARAMETERFAULT;
  if (!put(static_cast<char>(character[0]))) return kCallAgain;
  arguments[0] += 1;
  arguments[1] = length == 0 ? kLineEnds : length - 1;
  return kCallAgain;
}

Progress TestCalls::complete(Arguments arguments) {
  if (!test_mode_) return MV_STATUS_UNAVAILABLE;
  if (!complete_) {
    verdict_ = arguments[0];
    complete_ = fresh_ = true;
    board_.wake_secure_thread();
  }
  return kCallAgain;
}

std::optional<std::uint32_t> TestCalls::take_verdict() {
  return fresh_.exchange(false) ? std::optional(verdict_) : std::nullopt;
}

void TestCalls::reset() {
  logging_ = false;
  complete_ = fresh_ = false;
  console_full_since_us_ = 0;
}

}  // namespace mv::app
