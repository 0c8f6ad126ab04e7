// Keeps one emulated device: its power (QEMU), its modem, and the socket on which both are asked and told.
//
// One thread. Works in the device's folder, so that socket names stay short (an address holds 107 bytes).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <nlohmann/json_fwd.hpp>
#include <tl/expected.hpp>

#include "emulator/control.h"
#include "emulator/device_folder.h"
#include "emulator/modem_port.h"
#include "emulator/qemu.h"

namespace mv::emulator {

struct SupervisorOptions {
  DeviceFolder folder;
  std::filesystem::path firmware;  // folder with boot stage and microvisor
  Shape shape;
  const EmulatedBoard* board = find_emulated_board("mps2-an505");
  std::filesystem::path qemu;  // empty: the board's, from the PATH
  ModemKind modem;
};

class Supervisor {
 public:
  // `say` is given one line for each thing that happens.
  Supervisor(boost::asio::io_context& context, SupervisorOptions options, std::function<void(const std::string&)> say);

  // Enters the device's folder, listens, and switches the device on. Error: a sentence.
  tl::expected<void, std::string> start();

 private:
  nlohmann::json answer(const nlohmann::json& request);
  nlohmann::json status() const;
  tl::expected<void, std::string> carry_out(const nlohmann::json& request);
  tl::expected<void, std::string> power_on(std::optional<PowerCut> cut = std::nullopt);
  tl::expected<void, std::string> power_on_until(const nlohmann::json& request);
  void cut_power();
  tl::expected<void, std::string> change_carrier(const nlohmann::json& request);
  tl::expected<void, std::string> change_wifi(const nlohmann::json& request);
  tl::expected<void, std::string> change_shape(const nlohmann::json& request);
  void machine_ended(int wait_status);
  void stop();

  boost::asio::io_context& context_;
  SupervisorOptions options_;
  std::function<void(const std::string&)> say_;
  ModemPort modem_;
  Qemu qemu_;
  ControlServer control_;
  boost::asio::signal_set end_signals_;
  std::string last_exit_;
  bool power_cut_ = false;  // on request: not worth a warning
};

}  // namespace mv::emulator
