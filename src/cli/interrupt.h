// Ctrl-C and SIGTERM while a command waits: noted, not obeyed at once, so that the command ends in good order.
#pragma once

#include <atomic>

namespace mv::cli {

// While it lives, the first SIGINT or SIGTERM sets the flag; a second one ends the process. One at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
};

// Set by a guard's signals; what blocks looks at it.
const std::atomic<bool>& interrupted();

}  // namespace mv::cli
