// For tests: what the agent needs besides an application: clock, entropy, supervisor.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "core/debug/fake_target.h"
#include "core/debug/peers.h"
#include "core/platform/ports.h"
#include "core/tls/tls_platform.h"

namespace mv::debug::test {

class FakeClock final : public Clock {
 public:
  std::uint64_t uptime_us() override { return now_us; }
  std::uint64_t now_us = 1'000'000;
};

// Bytes that differ from call to call, and from run to run not at all.
class FakeEntropy final : public Entropy {
 public:
  bool fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>((state_ = state_ * 1664525 + 1013904223) >> 24);
    return true;
  }

 private:
  std::uint32_t state_ = 1;
};

// Once per process. False if the crypto library does not start.
inline bool set_up_crypto() {
  static FakeEntropy entropy;
  static FakeClock clock;
  static const bool done = tls::set_up(entropy, clock);
  return done;
}

inline constexpr std::array kRegions = {Region{kCode, kSize, Region::Kind::kFlash},
                                        Region{kRam, kSize, Region::Kind::kRam}};

// The application: at kStart  movs r0, #0;  loop: adds r0, #1;  nop;  b loop.
inline constexpr std::uint32_t kStart = kCode + 0x10;

class FakeSupervisor final : public Supervisor {
 public:
  FakeSupervisor(FakeBoard& board, FakeMemory& memory) : board_(board), memory_(memory) {
    bundle.manifest_hash.fill(0xAB);
    bundle.build_id_size = 20;
  }

  bool running_bundle(RunningBundle& out) override {
    out = bundle;
    return installed;
  }

  bool restart_for_debugger() override {
    ++restarts;
    if (installed) start();
    crashed = !installed;
    return installed;
  }

  bool waits_for_restart() const override { return crashed; }

  void start() {
    memory_.put(kStart, {0x2000, 0x3001, 0xBF00, 0xE7FC});  // a fresh image
    board_.start(kStart);
  }

  RunningBundle bundle;
  bool installed = true;
  bool crashed = false;
  int restarts = 0;

 private:
  FakeBoard& board_;
  FakeMemory& memory_;
};

}  // namespace mv::debug::test
