#include "core/app/wifi_calls.h"

#include <algorithm>

#include "core/app/guest_words.h"

namespace mv::app {
namespace {

constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kTicket = 0xffff0000;  // no memory of an application: the core's own addresses

}  // namespace

template <std::size_t kSize>
MvStatus WifiCalls::read_text(std::uint32_t data, std::uint32_t size, std::array<char, kSize>& text,
                              std::uint8_t& text_size) {
  if (!memory_.readable(data, size)) return MV_STATUS_PARAMETERFAULT;
  if (size > kSize) return MV_STATUS_INPUTTOOLONG;
  text_size = static_cast<std::uint8_t>(size);
  return memory_.copy_in({reinterpret_cast<std::uint8_t*>(text.data()), size}, data) ? MV_STATUS_OKAY
                                                                                     : MV_STATUS_PARAMETERFAULT;
}

MvStatus WifiCalls::read_request(std::uint32_t params, Request& request) {
  Words<6> words;
  if (!copy_words(memory_, params, words)) return MV_STATUS_PARAMETERFAULT;
  const auto [version, mode, ssid, ssid_size, password, password_size] = words;
  if (version != kVersion) return MV_STATUS_UNSUPPORTEDSTRUCTUREVERSION;
  switch (mode & 0xffU) {  // one byte, the rest is padding
    case MV_WIFICONFIGMODE_CLEARNOW:
      return MV_STATUS_OKAY;
    case MV_WIFICONFIGMODE_APPLYNOW:
      break;
    default:
      return MV_STATUS_PARAMETERFAULT;
  }
  const MvStatus name = read_text(ssid, ssid_size, request.ssid, request.ssid_size);
  const MvStatus secret = read_text(password, password_size, request.passphrase, request.passphrase_size);
  if (name == MV_STATUS_PARAMETERFAULT || secret == MV_STATUS_PARAMETERFAULT) return MV_STATUS_PARAMETERFAULT;
  if (name == MV_STATUS_OKAY && ssid_size == 0) return MV_STATUS_REQUIREDELEMENTMISSING;
  return name != MV_STATUS_OKAY ? name : secret;
}

Progress WifiCalls::set(Arguments arguments) {
  if (board_.in_interrupt()) return MV_STATUS_UNAVAILABLE;
  if ((arguments[0] & kTicket) == kTicket) return outcome(arguments[0]);
  Request request;
  const MvStatus status = read_request(arguments[0], request);
  if (status != MV_STATUS_OKAY) return status;
  const LockGuard guard(lock_);
  request_ = request;
  arguments[0] = kTicket | ++asked_;
  board_.wake_secure_thread();
  return kCallAgain;
}

Progress WifiCalls::outcome(std::uint32_t ticket) {
  constexpr std::uint16_t kHalf = 0x8000;
  const auto number = static_cast<std::uint16_t>(ticket);
  const LockGuard guard(lock_);
  if (static_cast<std::uint16_t>(asked_ - number) >= kHalf) return MV_STATUS_PARAMETERFAULT;  // nobody gave it
  if (static_cast<std::uint16_t>(done_ - number) >= kHalf) return kCallAgain;
  return any_failed_ && failed_ == number ? MV_STATUS_INTERNALERROR : MV_STATUS_OKAY;
}

bool WifiCalls::poll() {
  Request request;
  std::uint16_t number = 0;
  {
    const LockGuard guard(lock_);
    if (done_ == asked_) return false;
    request = request_;
    number = asked_;
  }
  const bool stored = request.ssid_size == 0 ? store_.clear()
                                             : store_.set({{request.ssid.data(), request.ssid_size},
                                                           {request.passphrase.data(), request.passphrase_size}});
  const LockGuard guard(lock_);
  done_ = number;
  if (!stored) failed_ = number;
  any_failed_ = any_failed_ || !stored;
  if (done_ == asked_) request_.passphrase = {};
  return true;
}

MvStatus WifiCalls::get(std::uint32_t params) {
  Words<5> words;
  if (!copy_words(memory_, params, words)) return MV_STATUS_PARAMETERFAULT;
  const auto [version, ssid, ssid_room, ssid_length, encrypted] = words;
  if (version != kVersion) return MV_STATUS_UNSUPPORTEDSTRUCTUREVERSION;
  if (!memory_.writable(ssid, ssid_room) || !memory_.writable(ssid_length, 4) || !memory_.writable(encrypted, 1)) {
    return MV_STATUS_PARAMETERFAULT;
  }
  const link::WifiStore::Network network = store_.network();
  if (network.ssid_size > ssid_room) return MV_STATUS_INVALIDBUFFERSIZE;
  const std::array<std::uint8_t, 1> flag = {network.encrypted ? std::uint8_t{1} : std::uint8_t{0}};
  const std::span name(reinterpret_cast<const std::uint8_t*>(network.ssid.data()), network.ssid_size);
  if (!memory_.copy_out(ssid, name) || !memory_.copy_out(encrypted, flag)) return MV_STATUS_PARAMETERFAULT;
  return put_word(memory_, ssid_length, static_cast<std::uint32_t>(network.ssid_size));
}

}  // namespace mv::app
