// Session: the threads of the application's real-time operating system; without one there is one thread, "application".
#include <algorithm>

#include <fmt/format.h>

#include "gdbserver/rsp/hex.h"
#include "gdbserver/rsp/reply.h"
#include "gdbserver/session/session.h"

namespace mv::gdb {
namespace {

// Names are printable ASCII (rtos::Memory::text).
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

const rtos::Thread* find(const std::vector<rtos::Thread>& threads, const rsp::ThreadId& id) {
  const auto found =
      std::find_if(threads.begin(), threads.end(), [&](const rtos::Thread& t) { return t.id == id.number; });
  return found == threads.end() ? nullptr : &*found;
}

}  // namespace

// Which thread runs has to be known before the stop is told. At no cost if it came with the stop.
void Session::identify(std::function<void()> then) {
  threads_.forget();
  running_ = selected_ = rtos::kApplication;
  if (!threads_.any() || stop_.reason == StopReason::kExited) return then();
  threads_.running(guarded<std::uint32_t>([this, then = std::move(then)](const Result<std::uint32_t>& id) {
    running_ = selected_ = id.value_or(rtos::kApplication);
    then();
  }));
}

bool Session::runs(const rsp::ThreadId& thread) const {
  return thread.kind != rsp::ThreadId::Kind::kOne || thread.number == running_;
}

// Replies with what `action` makes of the threads.
void Session::with_threads(std::function<std::string(const std::vector<rtos::Thread>&)> action) {
  if (!threads_.any() || state_ == State::kFailed) {
    return reply(action({rtos::Thread{.id = rtos::kApplication,
                                      .name = "application",
                                      .state = rtos::State::kRunning,
                                      .priority = 0,
                                      .stack_pointer = 0}}));
  }
  threads_.list(guarded<std::vector<rtos::Thread>>(
      [this, action = std::move(action)](const Result<std::vector<rtos::Thread>>& threads) {
        if (!threads) return answer(error_reply(threads.error()));
        if (!threads_.complaint().empty()) pending_notice_ = threads_.complaint();
        answer(action(*threads));
      }));
}

// Replies with what `action` makes of the selected thread's registers.
void Session::with_registers(std::function<std::string(const arm::RegisterFile&)> action) {
  if (!another_selected()) return reply(action(stop_.registers));
  threads_.registers(
      selected_, stop_.registers,
      guarded<arm::RegisterFile>([this, action = std::move(action)](const Result<arm::RegisterFile>& file) {
        answer(file ? action(*file) : error_reply(file.error()));
      }));
}

std::string Session::thread_document(const std::vector<rtos::Thread>& threads) const {
  std::string out = "<?xml version=\"1.0\"?>\n<threads>\n";
  for (const rtos::Thread& thread : threads) {
    out += fmt::format("<thread id=\"{:x}\" core=\"0\" name=\"{}\">{}</thread>\n", thread.id, escaped(thread.name),
                       escaped(extra_info(thread)));
  }
  return out + "</threads>\n";
}

std::string Session::extra_info(const rtos::Thread& thread) const {
  if (!threads_.complaint().empty()) return threads_.complaint();
  if (thread.id == rtos::kApplication) return "";
  return fmt::format("{}, priority {}", rtos::name_of(thread.state), thread.priority);
}

// Only whose registers are meant is kept: who is resumed is said with every resume, and the processor runs all.
void Session::handle(const rsp::SetThread& command) {
  if (runs(command.thread)) {
    if (command.registers) selected_ = running_;
    return reply(std::string(rsp::kOk));
  }
  with_threads([this, command](const auto& threads) {
    if (find(threads, command.thread) == nullptr) return rsp::error(rsp::kErrorArgument);
    if (command.registers) selected_ = command.thread.number;
    return std::string(rsp::kOk);
  });
}

void Session::handle(const rsp::ThreadAlive& command) {
  if (runs(command.thread)) return reply(std::string(rsp::kOk));
  with_threads([command](const auto& threads) {
    return find(threads, command.thread) != nullptr ? std::string(rsp::kOk) : rsp::error(rsp::kErrorArgument);
  });
}

void Session::handle(const rsp::CurrentThread&) { reply("QC" + rsp::hex_number(running_)); }

void Session::handle(const rsp::ThreadListFirst&) {
  with_threads([](const auto& threads) {
    std::string out;
    for (const rtos::Thread& thread : threads) out += (out.empty() ? "m" : ",") + rsp::hex_number(thread.id);
    return out;
  });
}

void Session::handle(const rsp::ThreadListNext&) { reply("l"); }

void Session::handle(const rsp::ThreadExtraInfo& command) {
  with_threads([this, command](const auto& threads) {
    const rtos::Thread* thread = find(threads, command.thread);
    if (thread == nullptr) return rsp::error(rsp::kErrorArgument);
    const std::string info = extra_info(*thread);
    return rsp::to_hex(std::string_view(info.empty() ? thread->name : info));
  });
}

}  // namespace mv::gdb
