// counter: counts, keeps statistics, says so. The application that the documentation and the tests debug.
#include <cstdint>

#include "../common/board.h"
#include "mv_log.h"
#include "mv_syscalls.h"

namespace {

constexpr std::uint32_t kStep = 1;

struct Statistics {
  std::uint32_t count;
  std::uint32_t sum;
  std::uint32_t largest;
};

volatile std::uint32_t ticks = 0;
Statistics statistics{};

// Adds one value to the statistics and returns the new sum.
std::uint32_t tally(Statistics& into, std::uint32_t value) {
  into.count = into.count + 1;
  into.sum = into.sum + value;
  if (value > into.largest) into.largest = value;
  return into.sum;
}

// n! the long way round, to have a call stack worth looking at.
std::uint32_t factorial(std::uint32_t n) {
  if (n <= 1) return 1;
  const std::uint32_t smaller = factorial(n - 1);
  return n * smaller;
}

std::uint32_t count_once(std::uint32_t round) {
  const std::uint32_t value = round % 7;
  const std::uint32_t product = factorial(value);
  const std::uint32_t sum = tally(statistics, product + kStep);
  return sum;
}

void report(std::uint32_t round) {
  mv_log("counter: round %lu, sum %lu, largest %lu", static_cast<unsigned long>(round),
         static_cast<unsigned long>(statistics.sum), static_cast<unsigned long>(statistics.largest));
}

void wait_for_tick() {
  const std::uint32_t before = ticks;
  while (ticks == before) __asm__ volatile("wfi");
}

}  // namespace

extern "C" void SysTick_Handler() { ticks = ticks + 1; }

int main() {
  std::uint32_t clock = 0;
  mvGetSysClk(&clock);
  board_start();
  board_ticks(clock / 20);
  board_write("counter: hello\n");
  mv_log("counter: hello from the Non-secure side");

  for (std::uint32_t round = 1;; ++round) {
    wait_for_tick();
    count_once(round);
    if (round % 20 == 0) report(round);
  }
}
