// Time, passed in: the program's is Asio's, the tests' is turned by hand.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace mv::gdb {

class Scheduler {
 public:
  // Destroying it cancels the call.
  class Timer {
   public:
    virtual ~Timer() = default;
  };

  virtual ~Scheduler() = default;

  // Calls `action` once, on the one thread, when `delay` has passed.
  [[nodiscard]] virtual std::unique_ptr<Timer> after(std::chrono::milliseconds delay, std::function<void()> action) = 0;

  // Calls `action` soon, but not from within this call.
  virtual void post(std::function<void()> action) = 0;
};

}  // namespace mv::gdb
