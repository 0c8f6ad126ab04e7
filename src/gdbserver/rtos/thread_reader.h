// The threads of one stop: reads what the kernel's table needs, in few round trips, and keeps it until the application
// runs again.
//
// What the last stop's walk read is asked for at once at the next, and comes with the stop as far as that has room.
// With no kernel nothing is read at all.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gdbserver/rtos/kernel.h"
#include "gdbserver/target/target.h"

namespace mv::gdb::rtos {

class ThreadReader {
 public:
  // `target` outlives the reader.
  explicit ThreadReader(Target& target) : target_(target) {}
  ~ThreadReader() { *alive_ = false; }
  ThreadReader(const ThreadReader&) = delete;
  ThreadReader& operator=(const ThreadReader&) = delete;

  // The application has stopped, or its memory was written: what was read is forgotten, and handlers that still wait
  // are never called.
  void forget();

  bool any() const { return system_ != nullptr; }

  // The id of the thread that runs; kApplication if the kernel runs none. Errors: those of Target::gather.
  void running(Handler<std::uint32_t> handler);

  // All threads, the running one first: at least one, at most kMostThreads + 1. If the kernel's lists make no sense it
  // is the running one alone, and `complaint` says why. Errors: those of Target::gather.
  void list(Handler<std::vector<Thread>> handler);
  const std::string& complaint() const { return complaint_; }

  // The registers of a thread of `list` that does not run; `live` are those of the core.
  // Errors: kBadRequest (no such thread), those of Target::gather.
  void registers(std::uint32_t id, const arm::RegisterFile& live, Handler<arm::RegisterFile> handler);

 private:
  void settle(std::function<void()> walk, Handler<void> done, int rounds);
  void fetch(std::vector<Memory::Span> spans, Handler<void> done);
  void walk(Found& found);
  void take_list(const Found& found);
  void unstack_all(const arm::RegisterFile& live);
  Thread thread(std::uint32_t id);

  Target& target_;
  std::shared_ptr<const System> system_;
  std::unique_ptr<Memory> memory_;
  std::vector<Memory::Span> hints_;  // what was read at the last stop
  std::optional<std::uint32_t> running_;
  std::vector<Thread> threads_;  // empty: not read yet
  std::map<std::uint32_t, arm::RegisterFile> registers_;
  std::string complaint_;
  std::uint64_t generation_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace mv::gdb::rtos
