#include "gdbserver/rtos/kernel.h"

#include <algorithm>
#include <array>

namespace mv::gdb::rtos {

std::string_view name_of(State state) {
  switch (state) {
    case State::kRunning:
      return "running";
    case State::kReady:
      return "ready";
    case State::kBlocked:
      return "blocked";
    case State::kSuspended:
      return "suspended";
    case State::kEnded:
      return "ended";
  }
  return "";
}

std::optional<Variable> Layout::variable(std::string_view name) const {
  const auto found = variables.find(name);
  return found == variables.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Member> Layout::member(std::string_view name) const {
  const auto found = members.find(name);
  return found == members.end() ? std::nullopt : std::optional(found->second);
}

bool Found::has(std::uint32_t id) const {
  return std::any_of(threads_.begin(), threads_.end(), [&](const Thread& thread) { return thread.id == id; });
}

bool Found::add(Thread thread) {
  if (has(thread.id)) {
    breaks("a thread is in its lists twice");
  } else if (threads_.size() == kMostThreads) {
    breaks("there are more than 64 threads");
  } else {
    threads_.push_back(std::move(thread));
    return true;
  }
  return false;
}

void Found::breaks(std::string_view why) {
  if (broken_.empty()) broken_ = why;
}

std::span<const Kernel* const> kernels() {
  static constexpr std::array<const Kernel*, 3> kAll = {&kFreeRtos, &kThreadX, &kZephyr};
  return kAll;
}

const Kernel* find_kernel(const Layout& layout) {
  const auto there = [&](const Wanted& wanted) { return !wanted.required || layout.variable(wanted.name); };
  for (const Kernel* kernel : kernels())
    if (std::all_of(kernel->variables.begin(), kernel->variables.end(), there)) return kernel;
  return nullptr;
}

bool complete(const Kernel& kernel, const Layout& layout) {
  return std::all_of(kernel.members.begin(), kernel.members.end(),
                     [&](const Wanted& wanted) { return !wanted.required || layout.member(wanted.name); });
}

}  // namespace mv::gdb::rtos
