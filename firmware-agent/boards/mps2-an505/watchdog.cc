#include "boards/mps2-an505/watchdog.h"

#include "arch/cortex-m33/registers.h"
#include "boards/mps2-an505/memory.h"

namespace mv::board {
namespace {

using arch::reg32;

constexpr std::uint32_t kLoad = kWatchdog + 0x00;
constexpr std::uint32_t kControl = kWatchdog + 0x08;
constexpr std::uint32_t kInterruptClear = kWatchdog + 0x0c;  // any write: counts from kLoad again
constexpr std::uint32_t kLock = kWatchdog + 0xc00;
constexpr std::uint32_t kUnlock = 0x1acce551;
constexpr std::uint32_t kInterrupt = 1U << 0;
constexpr std::uint32_t kReset = 1U << 1;

}  // namespace

void start_watchdog() {
  reg32(kLock) = kUnlock;
  reg32(kLoad) = kWatchdogSeconds * kSlowClock;
  reg32(kControl) = kInterrupt | kReset;
}

void feed_watchdog() { reg32(kInterruptClear) = 1; }

}  // namespace mv::board
