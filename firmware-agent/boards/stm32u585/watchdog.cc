#include "boards/stm32u585/watchdog.h"

#include "boards/stm32u585/registers.h"

namespace mv::board {
namespace {

constexpr std::uint32_t kStart = 0xcccc, kFeed = 0xaaaa, kUnlock = 0x5555;
constexpr std::uint32_t kBy128 = 5;           // IWDG_PR
constexpr std::uint32_t kTicksASecond = 250;  // LSI / 128
constexpr std::uint32_t kEarlyInterrupt = 1U << 15, kClearInterrupt = 1U << 14;

}  // namespace

void start_watchdog() {
  reg32(iwdg::kKey) = kStart;
  reg32(iwdg::kKey) = kUnlock;
  reg32(iwdg::kPrescaler) = kBy128;
  reg32(iwdg::kReload) = kWatchdogSeconds * kTicksASecond;
  reg32(iwdg::kEarlyWakeUp) = kEarlyInterrupt | kTicksASecond;
  wait_for(iwdg::kStatus, 0xf, 0);
  feed_watchdog();
}

void feed_watchdog() { reg32(iwdg::kKey) = kFeed; }

void listen_to_watchdog() {
  reg32(iwdg::kKey) = kUnlock;
  reg32(iwdg::kEarlyWakeUp) = kEarlyInterrupt | kClearInterrupt | kTicksASecond;
  arch::reg8(arch::kNvicPriority + interrupt::kIwdg) = 0;
  reg32(arch::kNvicSetEnable + interrupt::kIwdg / 32 * 4) = 1U << interrupt::kIwdg % 32;
}

}  // namespace mv::board
