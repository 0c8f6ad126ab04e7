// The real-time clock, on whatever RCC_BDCR has for it, LSI otherwise. Its calendar is set by these items.
#include "conformance.h"
#include "measured.h"
#include "nonsecure.h"
#include "registers.h"

namespace conformance {
namespace {

// RTC by its Secure alias. RM0456, "Real-time clock (RTC)".
constexpr std::uint32_t kRtc = 0x56007800, kTime = kRtc, kDate = kRtc + 0x04, kSubSeconds = kRtc + 0x08;
constexpr std::uint32_t kInitialization = kRtc + 0x0c, kPrescalers = kRtc + 0x10, kWakeUp = kRtc + 0x14;
constexpr std::uint32_t kControl = kRtc + 0x18, kOwners = kRtc + 0x20, kKey = kRtc + 0x24, kAlarm = kRtc + 0x40;
constexpr std::uint32_t kAlarmSubSeconds = kRtc + 0x44, kFlags = kRtc + 0x50, kForget = kRtc + 0x5c;
constexpr std::uint32_t kCanSetWakeUp = 1U << 2, kSynchronized = 1U << 5, kInitializing = 1U << 6,
                        kInitialize = 1U << 7;
constexpr std::uint32_t kAlarmOn = 1U << 8, kAlarmInterrupt = 1U << 12, kWakeUpOn = 1U << 10,
                        kWakeUpInterrupt = 1U << 14;
constexpr std::uint32_t kAlarmFlag = 1U << 0, kWakeUpFlag = 1U << 2, kAllSecure = 1U << 15;
constexpr std::uint32_t kAnyDay = 1U << 31, kAnyHour = 1U << 23, kAnyMinute = 1U << 15, kAnySecond = 1U << 7;
constexpr std::uint32_t kNonSecureInterrupt = 2, kSecureInterrupt = 3;
constexpr std::uint32_t kSecureAlias = 0x10000000;

// As after power-on: a second is 256 * 128 cycles. Or a second of 10 ms; or one of 131 s that is told in steps of 4 ms.
constexpr std::uint32_t kUsual = 0x7f00ff, kFast = 7U << 16 | 39, kSlow = 127U << 16 | 0x7fff;

// RCC and PWR.
constexpr std::uint32_t kClocks = 0x56020ca8, kClock = 1U << 21, kBackupDomain = 0x56020cf0, kBackupAccess = 0x56020828;
constexpr std::uint32_t kSource = 3U << 8, kLse = 1U << 8, kLsi = 2U << 8, kOn = 1U << 15;
constexpr std::uint32_t kLseOn = 1U << 0, kLseReady = 1U << 1, kLsiOn = 1U << 26, kLsiReady = 1U << 27;

void unlock() {
  reg(kKey) = 0xca;
  reg(kKey) = 0x53;
}
void lock() { reg(kKey) = 0xff; }

void give_clock() {
  reg(kClocks) = reg(kClocks) | kClock;
  [[maybe_unused]] const std::uint32_t on = reg(kClocks);
  reg(kBackupAccess) = reg(kBackupAccess) | 1;
  barrier();
  if ((reg(kBackupDomain) & kSource) == 0) reg(kBackupDomain) = reg(kBackupDomain) | kLsi;
  const std::uint32_t source = reg(kBackupDomain) & kSource;
  const std::uint32_t start = source == kLse ? kLseOn : kLsiOn, ready = source == kLse ? kLseReady : kLsiReady;
  reg(kBackupDomain) = reg(kBackupDomain) | start | kOn;
  while ((reg(kBackupDomain) & ready) == 0) continue;  // or the watchdog says so
}

void begin_initialization() {
  unlock();
  reg(kInitialization) = reg(kInitialization) | kInitialize;
  while ((reg(kInitialization) & kInitializing) == 0) continue;
}

void end_initialization() {
  reg(kInitialization) = reg(kInitialization) & ~(kInitialize | kSynchronized);
  while ((reg(kInitialization) & kSynchronized) == 0) continue;
}

// Nothing is on, everything is unlocked, the calendar runs from there on.
void set_calendar(std::uint32_t prescalers, std::uint32_t date, std::uint32_t time) {
  give_clock();
  unlock();
  reg(kOwners) = 0;
  reg(kControl) = 0;
  begin_initialization();
  reg(kPrescalers) = (prescalers & 0x7fff) | (reg(kPrescalers) & 0x7f0000);
  reg(kPrescalers) = prescalers;
  reg(kDate) = date;
  reg(kTime) = time;
  end_initialization();
  reg(kForget) = 0x7f;
}

void stop() {
  reg(kControl) = 0;
  reg(kForget) = 0x7f;
  reg(kOwners) = 0;
  begin_initialization();
  reg(kPrescalers) = kUsual;
  end_initialization();
  lock();
}

struct Moment {
  std::uint32_t time, date;
};
Moment now() {
  const std::uint32_t time = reg(kTime);  // holds the date until it is read
  return {time, reg(kDate)};
}

void wait_for(std::uint32_t flag) {
  while ((reg(kFlags) & flag) == 0) continue;
}

void set_wake_up(std::uint32_t count, std::uint32_t interrupts) {
  while ((reg(kInitialization) & kCanSetWakeUp) == 0) continue;
  reg(kWakeUp) = count;
  reg(kControl) = reg(kControl) | kWakeUpOn | interrupts;  // WUCKSEL 0: the clock divided by 16
}

constexpr std::uint32_t date(std::uint32_t year, std::uint32_t weekday, std::uint32_t month, std::uint32_t day) {
  return year << 16 | weekday << 13 | month << 8 | day;
}

}  // namespace

ITEM("RM0456 RTC_WPR", "INIT is not set without the keys 0xca, 0x53, nor after a wrong one") {
  give_clock();
  lock();
  reg(kInitialization) = reg(kInitialization) | kInitialize;
  CHECK_EQUAL(reg(kInitialization) & kInitialize, 0);
  unlock();
  lock();
  reg(kInitialization) = reg(kInitialization) | kInitialize;
  CHECK_EQUAL(reg(kInitialization) & kInitialize, 0);
  begin_initialization();
  CHECK_EQUAL(reg(kInitialization) & kInitialize, kInitialize);
  end_initialization();
  lock();
}

ITEM("RM0456 RTC_TR", "time and date are set in initialization mode, and not outside of it") {
  set_calendar(kSlow, date(0x26, 1, 0x11, 0x23), 0x154500);
  unlock();
  reg(kTime) = 0x010203;
  reg(kDate) = date(0x01, 1, 0x01, 0x01);
  const Moment moment = now();
  stop();
  CHECK_EQUAL(moment.time, 0x154500);
  CHECK_EQUAL(moment.date, date(0x26, 1, 0x11, 0x23));
}

ITEM("RM0456 RTC_DR", "after 23:59:59 comes the next day: the 29th of February in a leap year") {
  set_calendar(kFast, date(0x24, 3, 0x02, 0x28), 0x235959);
  while (now().time >= 0x235959) continue;
  const Moment moment = now();
  stop();
  CHECK(moment.time < 0x10000);
  CHECK_EQUAL(moment.date, date(0x24, 4, 0x02, 0x29));
}

ITEM("RM0456 RTC_DR", "after the 31st of December comes the next year, after Sunday Monday") {
  set_calendar(kFast, date(0x23, 7, 0x12, 0x31), 0x235959);
  while (now().time >= 0x235959) continue;
  const Moment moment = now();
  stop();
  CHECK_EQUAL(moment.date, date(0x24, 1, 0x01, 0x01));
}

ITEM("RM0456 RTC_SSR", "it counts down from PREDIV_S") {
  set_calendar(kSlow, date(0x24, 1, 0x01, 0x01), 0);
  const auto sub_seconds = [] {
    const std::uint32_t value = reg(kSubSeconds);  // holds time and date until the latter is read
    now();
    return value;
  };
  const std::uint32_t first = sub_seconds();
  std::uint32_t next = first;
  while (next == first) next = sub_seconds();
  stop();
  CHECK(first <= 0x7fff);
  CHECK(first > 0x7000);
  CHECK(next < first);
}

ITEM("RM0456 RTC_ALRMAR", "ALRAF is set when time and alarm are the same, as far as it is not masked; RTC is raised") {
  set_calendar(kFast, date(0x24, 1, 0x01, 0x01), 0x100000);
  reg(kAlarmSubSeconds) = 0;
  reg(kAlarm) = kAnyDay | 0x100003;
  reg(kNvicEnable) = 1U << kNonSecureInterrupt;
  reg(kControl) = reg(kControl) | kAlarmOn | kAlarmInterrupt;
  wait_for(kAlarmFlag);
  const std::uint32_t time = now().time;
  barrier();
  stop();
  CHECK(time >= 0x100003);
  CHECK_EQUAL(interrupt.count, 1);
  CHECK_EQUAL(interrupt.number, kNonSecureInterrupt);
}

ITEM("RM0456 RTC_ALRMAR", "with all fields masked ALRAF is set each second; SCR clears it") {
  set_calendar(kFast, date(0x24, 1, 0x01, 0x01), 0);
  reg(kAlarmSubSeconds) = 0;
  reg(kAlarm) = kAnyDay | kAnyHour | kAnyMinute | kAnySecond;
  reg(kControl) = reg(kControl) | kAlarmOn;
  for (int times = 0; times < 3; ++times) {
    wait_for(kAlarmFlag);
    reg(kForget) = kAlarmFlag;
    while ((reg(kFlags) & kAlarmFlag) != 0 && now().time < 0x20) continue;
  }
  const std::uint32_t time = now().time;
  stop();
  CHECK(time >= 0x03);
}

ITEM("RM0456 RTC_WUTR", "WUTF is set each time when WUT + 1 steps are over, and raises RTC with WUTIE") {
  set_calendar(kUsual, date(0x24, 1, 0x01, 0x01), 0);
  reg(kNvicEnable) = 1U << kNonSecureInterrupt;
  set_wake_up(9, kWakeUpInterrupt);  // 5 ms
  while (interrupt.count == 0) continue;
  CHECK_EQUAL(interrupt.number, kNonSecureInterrupt);
  CHECK_EQUAL(reg(kFlags) & kWakeUpFlag, kWakeUpFlag);
  reg(kForget) = kWakeUpFlag;
  wait_for(kWakeUpFlag);
  reg(kWakeUp) = 77;  // is not taken while it runs
  const std::uint32_t kept = reg(kWakeUp) & 0xffff;
  stop();
  CHECK_EQUAL(kept, 9);
}

ITEM("RM0456 RTC_SECCFGR", "SEC: Non-secure code cannot write, nor take it back; RTC_S is raised in place of RTC") {
  set_calendar(kUsual, date(0x24, 1, 0x01, 0x01), 0);
  reg(kWakeUp) = 9;
  reg(kOwners) = kAllSecure;
  const auto write = [](std::uint32_t at, std::uint32_t value) {
    call_nonsecure(reinterpret_cast<const void*>(ns_write), at - kSecureAlias, value);
  };
  write(kWakeUp, 5);
  write(kOwners, 0);
  const std::uint32_t kept = reg(kWakeUp) & 0xffff, owner = reg(kOwners) & kAllSecure;
  reg(kNvicEnable) = 1U << kNonSecureInterrupt | 1U << kSecureInterrupt;
  set_wake_up(9, kWakeUpInterrupt);
  while (interrupt.count == 0) continue;
  stop();
  CHECK_EQUAL(kept, 9);
  CHECK_EQUAL(owner, kAllSecure);
  CHECK_EQUAL(interrupt.count, 1);
  CHECK_EQUAL(interrupt.number, kSecureInterrupt);
}

}  // namespace conformance
