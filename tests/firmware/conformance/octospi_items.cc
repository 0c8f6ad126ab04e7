// OCTOSPI2 with the NOR behind it, in all its modes: by the registers themselves. Of the NOR nothing but the last
// sector changes.
#include "boards/stm32u585/nor.h"

#include "board.h"
#include "conformance.h"
#include "measured.h"
#include "registers.h"

namespace conformance {
namespace {

// RM0456 28.7; by the Secure alias.
constexpr std::uint32_t kBase = 0x520d2400, kControl = kBase, kStatus = kBase + 0x20, kClear = kBase + 0x24;
constexpr std::uint32_t kLength = kBase + 0x40, kAddress = kBase + 0x48, kData = kBase + 0x50, kMask = kBase + 0x80;
constexpr std::uint32_t kMatch = kBase + 0x88, kInterval = kBase + 0x90, kParts = kBase + 0x100,
                        kDummies = kBase + 0x108;
constexpr std::uint32_t kCommand = kBase + 0x110, kWindow = 0x70000000;

constexpr std::uint32_t kOn = 1U << 0, kAbort = 1U << 1, kDoneInterrupt = 1U << 17, kStopAtMatch = 1U << 22;  // CR
constexpr std::uint32_t kAnyBit = 1U << 23, kIndirectRead = 1U << 28, kPoll = 2U << 28, kMapped = 3U << 28;
constexpr std::uint32_t kDone = 1U << 1, kMatches = 1U << 3, kBusy = 1U << 5;  // SR
constexpr std::uint32_t kAllFlags = 0x1b;
constexpr std::uint32_t kPlain = 1, kWithAddress = 1U << 8, kWithData = 1U << 24;  // CCR: one line each
constexpr std::uint32_t kThreeBytes = 2U << 12, kFourBytes = 3U << 12;

constexpr std::uint32_t kOctospi2Interrupt = 120;

// The NOR's commands, JESD216.
constexpr std::uint32_t kWriteEnable = 0x06, kWriteDisable = 0x04, kReadStatus = 0x05, kParameters = 0x5a,
                        kFastRead = 0x0c;
constexpr std::uint32_t kWriteInProgress = 1U << 0, kWritesEnabled = 1U << 1;

std::uint32_t level() { return reg(kStatus) >> 8 & 0x3f; }

void wait_for(std::uint32_t flag) {
  while ((reg(kStatus) & flag) == 0) continue;  // or the watchdog says so
}

void wait_idle() {
  while ((reg(kStatus) & kBusy) != 0) continue;  // or the watchdog says so
}

void finish() {
  wait_for(kDone);
  reg(kClear) = kAllFlags;
  wait_idle();
}

// Pins, clocks and the device's kind; nothing runs.
mv::board::Nor open() {
  board_power_nor();
  mv::board::Nor nor;
  CHECK(nor.set_up());
  wait_idle();
  return nor;
}

void set_mode(std::uint32_t mode) {
  wait_idle();
  reg(kClear) = kAllFlags;
  reg(kControl) = kOn | mode;
  reg(kDummies) = 0;
}

void send(std::uint32_t instruction) {
  set_mode(0);
  reg(kParts) = kPlain;
  reg(kCommand) = instruction;
  finish();
}

// An indirect read begins; with dummy cycles, as the commands with an address want them.
void begin_read(std::uint32_t instruction, std::uint32_t bytes_of_address, std::uint32_t address,
                std::uint32_t length) {
  set_mode(kIndirectRead);
  reg(kLength) = length - 1;
  reg(kDummies) = 8;
  reg(kParts) = kPlain | kWithAddress | bytes_of_address | kWithData;
  reg(kCommand) = instruction;
  reg(kAddress) = address;
}

std::uint32_t read_status() {
  set_mode(kIndirectRead);
  reg(kLength) = 0;
  reg(kParts) = kPlain | kWithData;
  reg(kCommand) = kReadStatus;
  wait_for(kDone);
  const std::uint32_t status = *reinterpret_cast<volatile std::uint8_t*>(kData);
  finish();
  return status;
}

// Reads the NOR's status again and again until its bits under `mask` are as in `match`.
void begin_poll(std::uint32_t mask, std::uint32_t match, std::uint32_t more = 0) {
  set_mode(kPoll | kStopAtMatch | more);
  reg(kLength) = 0;
  reg(kMask) = mask;
  reg(kMatch) = match;
  reg(kInterval) = 16;
  reg(kParts) = kPlain | kWithData;
  reg(kCommand) = kReadStatus;
}

void abort() {
  reg(kControl) = reg(kControl) | kAbort;
  while ((reg(kControl) & kAbort) != 0) continue;  // or the watchdog says so
  CHECK_EQUAL(reg(kStatus) & kBusy, 0);
}

}  // namespace

ITEM("RM0456 OCTOSPI_IR", "a command with neither address nor data begins when it is written") {
  open();
  send(kWriteEnable);
  CHECK_EQUAL(read_status() & (kWritesEnabled | kWriteInProgress), kWritesEnabled);
  send(kWriteDisable);
  CHECK_EQUAL(read_status() & kWritesEnabled, 0);
}

ITEM("RM0456 OCTOSPI_SR", "FLEVEL: a read waits at 32 bytes until they are taken; TCF is set at its end") {
  open();
  begin_read(kParameters, kThreeBytes, 0, 48);
  while (level() != 32) continue;  // or the watchdog says so
  CHECK_EQUAL(reg(kStatus) & (kBusy | kDone), kBusy);
  CHECK_EQUAL(reg(kData), 0x50444653);  // "SFDP"
  for (int word = 1; word < 12; ++word) {
    while (level() < 4) continue;
    [[maybe_unused]] const std::uint32_t taken = reg(kData);
  }
  wait_for(kDone);
  CHECK_EQUAL(level(), 0);
  wait_idle();
}

ITEM("RM0456 OCTOSPI_FCR", "flags are cleared by writing one to them, and only those") {
  open();
  read_status();
  set_mode(0);
  reg(kParts) = kPlain;
  reg(kCommand) = kWriteDisable;
  wait_for(kDone);
  reg(kClear) = kMatches;
  CHECK_EQUAL(reg(kStatus) & kDone, kDone);
  reg(kClear) = kDone;
  CHECK_EQUAL(reg(kStatus) & kDone, 0);
}

ITEM("RM0456 OCTOSPI_PSMKR", "polling sets SMF when the masked bits match, and with APMS ends") {
  open();
  send(kWriteEnable);
  begin_poll(kWritesEnabled | kWriteInProgress, kWritesEnabled);
  wait_for(kMatches);
  wait_idle();
  send(kWriteDisable);
}

ITEM("RM0456 OCTOSPI_CR", "PMM: one bit that matches is enough; without it all have to. ABORT ends the wait") {
  open();
  send(kWriteEnable);
  begin_poll(kWritesEnabled | kWriteInProgress, kWritesEnabled | kWriteInProgress);
  for (int n = 0; n < 1000; ++n) CHECK_EQUAL(reg(kStatus) & (kMatches | kBusy), kBusy);
  abort();
  begin_poll(kWritesEnabled | kWriteInProgress, kWritesEnabled | kWriteInProgress, kAnyBit);
  wait_for(kMatches);
  send(kWriteDisable);
}

ITEM("RM0456 OCTOSPI_CR", "TCIE: the end of a command raises OCTOSPI2") {
  open();
  reg(kNvicEnable + kOctospi2Interrupt / 32 * 4) = 1U << kOctospi2Interrupt % 32;
  set_mode(kDoneInterrupt);
  barrier();
  CHECK_EQUAL(interrupt.count, 0);
  reg(kParts) = kPlain;
  reg(kCommand) = kWriteDisable;
  while (interrupt.count == 0) continue;  // or the watchdog says so
  CHECK_EQUAL(interrupt.number, kOctospi2Interrupt);
  reg(kClear) = kAllFlags;
  set_mode(0);
}

ITEM("RM0456 OCTOSPI_CR", "FMODE 3: the window reads as the command does, and BUSY stays until ABORT") {
  constexpr std::uint32_t kWords = 8;
  mv::board::Nor nor = open();
  const std::uint32_t at = nor.size() - mv::board::Nor::kSector;
  std::uint8_t written[4 * kWords];
  for (std::uint32_t n = 0; n < sizeof written; ++n) written[n] = static_cast<std::uint8_t>(0xa0 ^ 7 * n);
  CHECK(nor.erase_sector(at));
  CHECK(nor.program(at, written));

  std::uint32_t indirect[kWords];
  begin_read(kFastRead, kFourBytes, at, sizeof indirect);
  for (std::uint32_t& word : indirect) {
    while (level() < 4) continue;  // or the watchdog says so
    word = reg(kData);
  }
  finish();
  CHECK_EQUAL(indirect[0], 0xb5aea7a0);

  set_mode(kMapped);
  reg(kDummies) = 8;
  reg(kParts) = kPlain | kWithAddress | kFourBytes | kWithData;
  reg(kCommand) = kFastRead;
  CHECK_EQUAL(reg(kStatus) & kBusy, 0);
  for (std::uint32_t n = 0; n < kWords; ++n) CHECK_EQUAL(reg(kWindow + at + 4 * n), indirect[n]);
  CHECK_EQUAL(reg(kStatus) & kBusy, kBusy);
  abort();
  CHECK(nor.erase_sector(at));
}

}  // namespace conformance
