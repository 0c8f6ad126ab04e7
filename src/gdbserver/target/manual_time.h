// Time for tests: it passes when a test says so.
#pragma once

#include <map>
#include <memory>
#include <utility>

#include "gdbserver/target/scheduler.h"

namespace mv::gdb {

class ManualTime final : public Scheduler {
 public:
  std::unique_ptr<Timer> after(std::chrono::milliseconds delay, std::function<void()> action) override {
    struct Entry final : Timer {
      explicit Entry(std::shared_ptr<bool> w) : wanted(std::move(w)) {}
      ~Entry() override { *wanted = false; }
      std::shared_ptr<bool> wanted;
    };
    auto wanted = std::make_shared<bool>(true);
    due_.emplace(now_ + delay, std::pair(wanted, std::move(action)));
    return std::make_unique<Entry>(wanted);
  }

  // The action comes with the next `pass`, which may be of no time at all.
  void post(std::function<void()> action) override {
    due_.emplace(now_, std::pair(std::make_shared<bool>(true), std::move(action)));
  }

  void pass(std::chrono::milliseconds time) {
    const auto end = now_ + time;
    while (!due_.empty() && due_.begin()->first <= end) {
      now_ = due_.begin()->first;
      auto [wanted, action] = std::move(due_.begin()->second);
      due_.erase(due_.begin());
      if (*wanted) action();
    }
    now_ = end;
  }

 private:
  std::chrono::milliseconds now_{0};
  std::multimap<std::chrono::milliseconds, std::pair<std::shared_ptr<bool>, std::function<void()>>> due_;
};

}  // namespace mv::gdb
