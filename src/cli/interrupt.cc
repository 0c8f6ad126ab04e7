#include "cli/interrupt.h"

#include <signal.h>

namespace mv::cli {
namespace {

std::atomic<bool> flag{false};
struct sigaction old_int;
struct sigaction old_term;

}  // namespace

InterruptGuard::InterruptGuard() {
  struct sigaction action {};
  action.sa_handler = [](int) { flag.store(true); };
  // The second one finds the default action again.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &action, &old_int);
  ::sigaction(SIGTERM, &action, &old_term);
}

InterruptGuard::~InterruptGuard() {
  ::sigaction(SIGINT, &old_int, nullptr);
  ::sigaction(SIGTERM, &old_term, nullptr);
  flag.store(false);
}

const std::atomic<bool>& interrupted() { return flag; }

}  // namespace mv::cli
