#include "gdbserver/rtos/thread_reader.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "gdbserver/rtos/saved_frame.h"

namespace mv::gdb::rtos {
namespace {

// A list is followed one item a round trip the first time; longer ones than this are no lists.
constexpr int kMostRounds = static_cast<int>(kMostThreads) + 8;

}  // namespace

void ThreadReader::forget() {
  ++generation_;
  system_ = target_.rtos();
  memory_ = std::make_unique<Memory>(target_.regions());
  running_.reset();
  threads_.clear();
  registers_.clear();
  complaint_.clear();
}

// Runs `walk` until it finds all it asks for.
void ThreadReader::settle(std::function<void()> walk, Handler<void> done, int rounds) {
  memory_->begin_walk();
  walk();
  auto missing = memory_->missing();
  if (missing.empty() || rounds == 0) return done({});
  fetch(std::move(missing), [this, walk = std::move(walk), done = std::move(done), rounds](Result<void> result) {
    if (!result) return done(std::move(result));
    settle(walk, done, rounds - 1);
  });
}

void ThreadReader::fetch(std::vector<Memory::Span> spans, Handler<void> done) {
  auto asked = spans;
  target_.gather(std::move(spans), [this, alive = alive_, generation = generation_, asked = std::move(asked),
                                    done = std::move(done)](Result<std::vector<Bytes>> pieces) {
    if (!*alive || generation != generation_) return;
    if (!pieces) return done(tl::make_unexpected(pieces.error()));
    for (std::size_t i = 0; i < asked.size(); ++i) {
      const bool whole = i < pieces->size() && (*pieces)[i].size() == asked[i].length;
      whole ? memory_->store(asked[i].address, (*pieces)[i]) : memory_->store_unreadable(asked[i]);
    }
    done({});
  });
}

void ThreadReader::running(Handler<std::uint32_t> handler) {
  if (!any()) return handler(kApplication);
  if (running_) return handler(*running_);
  auto found = std::make_shared<std::optional<std::uint32_t>>();
  settle([this, found] { *found = system_->kernel->running(system_->layout, *memory_); },
         [this, found, handler = std::move(handler)](Result<void> result) {
           if (!result) return handler(tl::make_unexpected(result.error()));
           const std::uint32_t id = found->value_or(0);
           running_ = memory_->plausible(id) && id > kApplication ? id : kApplication;
           if (hints_.empty()) target_.expect(memory_->used());
           handler(*running_);
         },
         kMostRounds);
}

void ThreadReader::list(Handler<std::vector<Thread>> handler) {
  if (!threads_.empty()) return handler(threads_);
  running([this, handler = std::move(handler)](Result<std::uint32_t> id) {
    if (!id) return handler(tl::make_unexpected(id.error()));
    if (!any()) return handler(std::vector<Thread>{thread(kApplication)});
    auto expected = memory_->used();
    fetch(hints_, [this, handler, expected](Result<void> fetched) mutable {
      if (!fetched) return handler(tl::make_unexpected(fetched.error()));
      auto found = std::make_shared<Found>();
      settle([this, found] { walk(*found); },
             [this, found, handler, expected](Result<void> result) mutable {
               if (!result) return handler(tl::make_unexpected(result.error()));
               take_list(*found);
               hints_ = memory_->used();
               expected.insert(expected.end(), hints_.begin(), hints_.end());
               target_.expect(std::move(expected));
               handler(threads_);
             },
             kMostRounds);
    });
  });
}

void ThreadReader::walk(Found& found) {
  found = {};
  system_->kernel->walk(system_->layout, *memory_, found);
  if (*running_ != kApplication && !found.has(*running_)) thread(*running_);  // it may be in no list for a moment
}

void ThreadReader::take_list(const Found& found) {
  std::string why = found.broken();
  if (why.empty() && !memory_->missing().empty()) why = "its lists have no end";
  if (why.empty() && memory_->unreadable())
    why = fmt::format("its lists lead to 0x{:08x}, which is no memory that can be read", *memory_->unreadable());
  if (!why.empty()) complaint_ = fmt::format("the threads of {} cannot be shown: {}", system_->kernel->name, why);
  threads_ = {thread(*running_)};
  threads_.front().state = State::kRunning;
  if (!why.empty()) return;
  for (const Thread& each : found.threads()) {
    if (each.id != *running_) threads_.push_back(each);
  }
}

// A thread by its control block, as far as that is known.
Thread ThreadReader::thread(std::uint32_t id) {
  Thread out{.id = id, .name = "application", .state = State::kRunning, .priority = 0, .stack_pointer = 0};
  if (id == kApplication || !complaint_.empty()) return out;
  if (auto known = system_->kernel->describe(system_->layout, *memory_, id)) out = *known;
  return out;
}

void ThreadReader::registers(std::uint32_t id, const arm::RegisterFile& live, Handler<arm::RegisterFile> handler) {
  if (const auto known = registers_.find(id); known != registers_.end()) return handler(known->second);
  list([this, id, live, handler = std::move(handler)](Result<std::vector<Thread>> threads) {
    if (!threads) return handler(tl::make_unexpected(threads.error()));
    settle([this, live] { unstack_all(live); },
           [this, id, handler](Result<void> result) {
             if (!result) return handler(tl::make_unexpected(result.error()));
             hints_ = memory_->used();
             const auto known = registers_.find(id);
             if (known == registers_.end()) return handler(failure(ErrorCode::kBadRequest, "there is no such thread"));
             handler(known->second);
           },
           kMostRounds);
  });
}

// Of all threads at once: whoever asks for one soon asks for the others.
void ThreadReader::unstack_all(const arm::RegisterFile& live) {
  for (const Thread& each : threads_) {
    if (each.id == *running_ || registers_.contains(each.id)) continue;
    memory_->clear_unreadable();
    if (const auto file = system_->kernel->registers(system_->layout, *memory_, each, live)) {
      registers_[each.id] = *file;
    } else if (memory_->unreadable()) {
      registers_[each.id] = only_stack_pointer(each.stack_pointer, live);
    }
  }
}

}  // namespace mv::gdb::rtos
