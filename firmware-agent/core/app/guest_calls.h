// Every system call, by family; and what they need of a board.
#pragma once

#include <array>

#include "core/app/channel_calls.h"
#include "core/app/external_flash_calls.h"
#include "core/app/system_calls.h"
#include "core/app/test_calls.h"
#include "core/app/wifi_calls.h"

namespace mv::app {

struct GuestPorts {
  GuestMemory& memory;
  GuestBoard& board;
  ExternalFlash& external_flash;
  link::WifiStore& wifi;
  Clock& clock;
  Lock& lock;
};

class GuestCalls {
 public:
  GuestCalls(const GuestPorts& ports, DeviceClock& device_clock, LogBuffer& log)
      : system(ports.memory, ports.board, ports.clock, device_clock, log, ports.lock),
        external_flash(ports.memory, ports.board, ports.external_flash, ports.clock, ports.lock),
        wifi(ports.memory, ports.board, ports.wifi, ports.lock),
        test(ports.memory, ports.board, ports.clock),
        channels(ports.memory, system, no_channels_, ports.lock) {
    system.set_families(families_);
  }
  GuestCalls(const GuestCalls&) = delete;
  GuestCalls& operator=(const GuestCalls&) = delete;

  SystemCalls system;
  ExternalFlashCalls external_flash;
  WifiCalls wifi;
  TestCalls test;
  ChannelCalls channels;

 private:
  NoChannelService no_channels_;
  std::array<CallFamily*, 4> families_{&external_flash, &wifi, &test, &channels};
};

}  // namespace mv::app
