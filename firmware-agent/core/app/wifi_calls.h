// The calls for the Wi-Fi configuration.
//
// To store it is the Secure thread's work, for which the call waits: it is made again with a ticket in place of its
// argument (restartable.h), until what the ticket stands for is done.
#pragma once

#include <array>
#include <cstdint>

#include "core/app/call_family.h"
#include "core/app/restartable.h"
#include "core/link/wifi_store.h"
#include "core/platform/guest.h"

namespace mv::app {

class WifiCalls final : public CallFamily {
 public:
  WifiCalls(GuestMemory& memory, GuestBoard& board, link::WifiStore& store, Lock& lock)
      : memory_(memory), board_(board), store_(store), lock_(lock) {}

  Progress set(Arguments arguments);
  MvStatus get(std::uint32_t params);

  // On the Secure thread: stores what was asked for last. True if there was something.
  bool poll();

  // What was asked for is still done.
  void reset() override {}

 private:
  struct Request {
    std::array<char, link::WifiStore::kMaxSsid> ssid{};
    std::array<char, link::WifiStore::kMaxPassphrase> passphrase{};
    std::uint8_t ssid_size = 0, passphrase_size = 0;  // no ssid: to be cleared
  };

  MvStatus read_request(std::uint32_t params, Request& request);
  template <std::size_t kSize>
  MvStatus read_text(std::uint32_t data, std::uint32_t size, std::array<char, kSize>& text, std::uint8_t& text_size);
  Progress outcome(std::uint32_t ticket);

  GuestMemory& memory_;
  GuestBoard& board_;
  link::WifiStore& store_;
  Lock& lock_;
  Request request_;           // the last
  std::uint16_t asked_ = 0;   // its number
  std::uint16_t done_ = 0;    // up to which all are done
  std::uint16_t failed_ = 0;  // the last that was not stored
  bool any_failed_ = false;
};

}  // namespace mv::app
