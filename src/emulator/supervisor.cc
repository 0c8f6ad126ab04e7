#include "emulator/supervisor.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>
#include <utility>

#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>

namespace mv::emulator {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

// As in a request, by WifiState.
constexpr std::array kWifiStates = {"up", "down", "silent", "refuses"};

constexpr std::int64_t kLongestMs = 24LL * 3600 * 1000;

// A whole number within bounds, or nothing.
std::optional<std::int64_t> number(const json& request, const char* key, std::int64_t most) {
  if (!request.contains(key) || !request[key].is_number_integer()) return std::nullopt;
  const auto value = request[key].get<std::int64_t>();
  if (value < 0 || value > most) return std::nullopt;
  return value;
}

// Since the last power-on, of a device that is on or off; null if its QEMU does not count them.
json flash_operations(const DeviceFolder& folder) {
  std::ifstream file(folder.flash_count().filename());
  std::uint64_t count = 0;
  return file >> count ? json(count) : json();
}

}  // namespace

Supervisor::Supervisor(boost::asio::io_context& context, SupervisorOptions options,
                       std::function<void(const std::string&)> say)
    : context_(context),
      options_(std::move(options)),
      say_(std::move(say)),
      modem_(context, options_.modem),
      qemu_(context),
      control_(context, [this](const json& request) { return answer(request); }),
      end_signals_(context, SIGINT, SIGTERM) {
  modem_.set_shape(options_.shape);
}

tl::expected<void, std::string> Supervisor::start() {
  if (::chdir(options_.folder.path.c_str()) != 0) {
    return tl::make_unexpected("cannot enter " + options_.folder.path.string() + ": " + std::strerror(errno));
  }
  if (auto listening = modem_.listen(options_.folder.modem_socket().filename()); !listening) return listening;
  if (auto listening = control_.listen(options_.folder.control_socket().filename()); !listening) return listening;
  end_signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (!error) stop();
  });
  return power_on();
}

tl::expected<void, std::string> Supervisor::power_on_until(const json& request) {
  if (!request.contains("cut_at")) return power_on();
  const auto operation = number(request, "cut_at", std::numeric_limits<std::uint32_t>::max());
  if (!operation || *operation == 0) return tl::make_unexpected("cut_at must be the number of an operation, from 1 on");
  if (!options_.board->counts_flash_operations) {
    return tl::make_unexpected("the power of an emulated " + std::string(options_.board->name) +
                               " cannot fail at a flash operation: its QEMU does not count them");
  }
  return power_on(PowerCut{static_cast<std::uint64_t>(*operation), request.value("torn", json()) == json(true)});
}

tl::expected<void, std::string> Supervisor::power_on(std::optional<PowerCut> cut) {
  const DeviceFolder& folder = options_.folder;
  if (qemu_.running()) return tl::make_unexpected(folder.name() + " has power already");
  Machine machine;
  machine.board = options_.board;
  machine.program = options_.qemu;
  machine.boot_rom = options_.firmware / options_.board->boot_stage_file;
  machine.flash = folder.flash().filename();
  machine.nor = folder.nor().filename();
  machine.modem_socket = folder.modem_socket().filename();
  machine.console_socket = folder.console_socket().filename();
  machine.console_log = folder.console_log().filename();
  machine.application_log = folder.application_log().filename();
  machine.qemu_log = folder.qemu_log().filename();
  if (options_.board->counts_flash_operations) machine.flash_count = folder.flash_count().filename();
  machine.cut = cut;
  auto started = qemu_.start(machine, [this](int wait_status) { machine_ended(wait_status); });
  if (!started) return started;
  power_cut_ = false;
  last_exit_.clear();
  say_("power on, QEMU is process " + std::to_string(qemu_.pid()));
  return {};
}

void Supervisor::cut_power() {
  power_cut_ = true;
  qemu_.kill();
}

void Supervisor::machine_ended(int wait_status) {
  last_exit_ = describe_exit(wait_status);
  modem_.power_off();
  say_(power_cut_ ? "power off" : "the machine has stopped: " + last_exit_);
}

void Supervisor::stop() {
  say_("ending");
  power_cut_ = true;
  modem_.power_off();
  // Posted, so that the answer to the request that asked for it still leaves.
  boost::asio::post(context_, [this] { context_.stop(); });
}

json Supervisor::status() const {
  const AirCounters& air = modem_.counters();
  return {{"ok", true},
          {"name", options_.folder.name()},
          {"supervisor_pid", ::getpid()},
          {"power", qemu_.running()},
          {"qemu_pid", qemu_.running() ? json(qemu_.pid()) : json()},
          {"last_exit", last_exit_},
          {"flash_operations", flash_operations(options_.folder)},
          {"modem", modem_.wifi() ? "esp-at" : "quectel"},
          {"carrier", modem_.carrier()},
          {"wifi", modem_.wifi() ? json(kWifiStates[static_cast<std::size_t>(*modem_.wifi())]) : json()},
          {"delay_ms", modem_.shape().delay.count()},
          {"rate", modem_.shape().rate},
          {"connections", air.connections},
          {"bytes_up", air.bytes_up},
          {"bytes_down", air.bytes_down}};
}

json Supervisor::answer(const json& request) {
  if (const auto done = carry_out(request); !done) return {{"ok", false}, {"error", done.error()}};
  return status();
}

tl::expected<void, std::string> Supervisor::carry_out(const json& request) {
  const std::string what = request.contains("do") && request["do"].is_string() ? request["do"].get<std::string>() : "";
  if (what == "status") return {};
  if (what == "kill") return cut_power(), tl::expected<void, std::string>();
  if (what == "power-on") return power_on_until(request);
  if (what == "carrier") return change_carrier(request);
  if (what == "wifi") return change_wifi(request);
  if (what == "shape") return change_shape(request);
  if (what == "stop") return stop(), tl::expected<void, std::string>();
  return tl::make_unexpected("the supervisor does not know the request \"" + what + "\"");
}

tl::expected<void, std::string> Supervisor::change_carrier(const json& request) {
  if (request.value("there", json()) == json(true)) {
    modem_.find_carrier();
    say_("carrier found");
    return {};
  }
  const auto duration = number(request, "for_ms", kLongestMs);
  if (request.contains("for_ms") && !duration) return tl::make_unexpected("for_ms must lie between 0 and one day");
  modem_.lose_carrier(duration ? std::optional(milliseconds(*duration)) : std::nullopt);
  say_("carrier lost" + (duration ? " for " + std::to_string(*duration) + " ms" : std::string()));
  return {};
}

tl::expected<void, std::string> Supervisor::change_wifi(const json& request) {
  const auto* state = std::ranges::find(kWifiStates, request.value("state", json()));
  if (state == kWifiStates.end()) return tl::make_unexpected("state must be up, down, silent or refuses");
  const auto duration = number(request, "for_ms", kLongestMs);
  if (request.contains("for_ms") && !duration) return tl::make_unexpected("for_ms must lie between 0 and one day");
  if (!modem_.set_wifi(static_cast<WifiState>(state - kWifiStates.begin()),
                       duration ? std::optional(milliseconds(*duration)) : std::nullopt)) {
    return tl::make_unexpected("the device has a cellular modem and no Wi-Fi: see mvctl emulator start --modem esp-at");
  }
  say_(std::string("Wi-Fi is ") + *state + (duration ? " for " + std::to_string(*duration) + " ms" : std::string()));
  return {};
}

tl::expected<void, std::string> Supervisor::change_shape(const json& request) {
  Shape shape = modem_.shape();
  if (const auto delay = number(request, "delay_ms", kLongestMs)) shape.delay = milliseconds(*delay);
  if (const auto rate = number(request, "rate", std::numeric_limits<std::uint32_t>::max())) {
    shape.rate = static_cast<std::uint32_t>(*rate);
  }
  modem_.set_shape(shape);
  return {};
}

}  // namespace mv::emulator
