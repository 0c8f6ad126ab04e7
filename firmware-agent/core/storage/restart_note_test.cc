#include "core/storage/restart_note.h"

#include <cstring>

#include <gtest/gtest.h>

namespace mv::storage {
namespace {

constexpr Restart a_fault() {
  Restart restart;
  restart.cause = Restart::Cause::kFault;
  restart.pc = 0x10012346;
  restart.lr = 0x10010101;
  restart.cfsr = 0x00010000;
  return restart;
}

// The note as RAM that nothing initialised.
struct Ram {
  explicit Ram(int pattern) { std::memset(bytes, pattern, sizeof bytes); }
  RestartNote& note() { return *reinterpret_cast<RestartNote*>(bytes); }

  alignas(RestartNote) unsigned char bytes[sizeof(RestartNote)];
};

std::string sentence(const Restart& restart, std::size_t room = 160) {
  std::array<char, 160> buffer;
  return std::string(describe(restart, std::span(buffer).first(room)));
}

TEST(RestartNote, IsReadOnce) {
  Ram ram(0);
  ram.note().write(a_fault());
  const Restart read = ram.note().take();
  EXPECT_EQ(read.cause, Restart::Cause::kFault);
  EXPECT_EQ(read.pc, 0x10012346U);
  EXPECT_EQ(ram.note().take().cause, Restart::Cause::kNone);
}

TEST(RestartNote, IsNotSeenInWhatRamHoldsAfterPowerOn) {
  for (const int pattern : {0x00, 0xff, 0x55}) EXPECT_EQ(Ram(pattern).note().take().cause, Restart::Cause::kNone);
}

TEST(RestartNote, IsNotBelievedWithAnyByteChanged) {
  for (std::size_t at = 0; at < sizeof(RestartNote); ++at) {
    Ram ram(0);
    ram.note().write(a_fault());
    ram.bytes[at] ^= 0x10;
    EXPECT_EQ(ram.note().take().cause, Restart::Cause::kNone) << at;
  }
}

TEST(RestartNote, SaysWhereTheFaultWas) {
  EXPECT_EQ(
      sentence(a_fault()),
      "microvisor restarted after a Secure fault at pc 0x10012346, lr 0x10010101, cfsr 0x00010000, bfar 0x00000000, "
      "sfsr 0x00000000, sfar 0x00000000");
  EXPECT_EQ(sentence(a_fault(), 20), "microvisor restarted");
}

TEST(RestartNote, SaysWhatMustNotHappen) {
  Restart restart;
  restart.cause = Restart::Cause::kError;
  restart.pc = 0x10010000;
  restart.set_why(std::string(100, 'x'));
  EXPECT_EQ(sentence(restart), "microvisor restarted at pc 0x10010000: " + std::string(59, 'x'));
}

TEST(RestartNote, SaysWhichMicrovisorTakesOver) {
  Restart restart;
  restart.cause = Restart::Cause::kUpdate;
  restart.set_why("microvisor 0.2.0 starts on trial");
  EXPECT_EQ(sentence(restart), "microvisor restarted for its update: microvisor 0.2.0 starts on trial");
}

TEST(RestartNote, SaysThatTheWatchdogBit) {
  Restart restart;
  restart.cause = Restart::Cause::kHung;
  EXPECT_EQ(sentence(restart), "microvisor restarted by its watchdog");
  restart.pc = 0x10012344;
  restart.lr = 0x10012301;
  EXPECT_EQ(sentence(restart), "microvisor restarted by its watchdog, at pc 0x10012344, lr 0x10012301");
}

TEST(RestartNote, HasNothingToSayOfAPowerOn) { EXPECT_EQ(sentence(Restart{}), ""); }

}  // namespace
}  // namespace mv::storage
