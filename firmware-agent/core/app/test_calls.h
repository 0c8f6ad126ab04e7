// The calls of an application that tests the device in the factory: a log on the console, and a verdict.
//
// Only where nothing was provisioned yet; elsewhere all of them answer UNAVAILABLE.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "core/app/call_family.h"
#include "core/app/restartable.h"
#include "core/platform/guest.h"
#include "core/platform/ports.h"

namespace mv::app {

class TestCalls final : public CallFamily {
 public:
  static constexpr std::uint32_t kMaxMessage = 1024;          // bytes
  static constexpr std::uint64_t kConsolePatience = 100'000;  // us until a character that nobody takes is given up

  TestCalls(GuestMemory& memory, GuestBoard& board, Clock& clock) : memory_(memory), board_(board), clock_(clock) {}

  // Before any call.
  void set_test_mode(bool on) { test_mode_ = on; }

  MvStatus logging_init(std::uint32_t buffer, std::uint32_t length);

  // Arguments: message and its length, of which 16 bits count. Writes a line.
  Progress log(Arguments arguments);

  // Arguments: the verdict. The call never returns: the application ends here.
  Progress complete(Arguments arguments);

  // For the Secure thread. Once for each verdict; 0 is a device that passed.
  std::optional<std::uint32_t> take_verdict();

  void reset() override;

 private:
  bool put(char character);

  GuestMemory& memory_;
  GuestBoard& board_;
  Clock& clock_;
  bool test_mode_ = false;
  bool logging_ = false;
  std::uint64_t console_full_since_us_ = 0;  // 0: it is not
  std::atomic<bool> complete_ = false;       // the application ends
  std::atomic<bool> fresh_ = false;          // nobody took the verdict yet
  std::uint32_t verdict_ = 0;
};

}  // namespace mv::app
