#include "cli/modem_choice.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>

namespace mv::cli {
namespace {

constexpr std::size_t kLongestSsid = 32;
constexpr std::size_t kShortestPassphrase = 8;
constexpr std::size_t kLongestPassphrase = 63;
constexpr const char* kVariable = "MVCTL_WIFI_PASSPHRASE";

bool is_control(unsigned char c) { return c < 0x20 || c == 0x7F; }

bool is_printable_ascii(unsigned char c) { return c >= 0x20 && c < 0x7F; }

bool is_hex(unsigned char c) { return std::isxdigit(c) != 0; }

// The first line; nothing else in a file counts.
tl::expected<std::string, Failure> read_line(const std::string& path) {
  std::ifstream file;
  if (path != "-") file.open(path, std::ios::binary);
  std::istream& in = path == "-" ? std::cin : file;
  std::string line(kLongestPassphrase + 2, '\0');
  in.read(line.data(), static_cast<std::streamsize>(line.size()));
  line.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad() || (path != "-" && !file.is_open())) {
    return fail(ExitCode::kFailed, "cannot read the passphrase of the Wi-Fi network from " + path);
  }
  return line.substr(0, line.find_first_of("\r\n"));
}

tl::expected<std::string, Failure> read_passphrase(const ModemChoice& choice) {
  const char* variable = std::getenv(kVariable);
  if (choice.open) {
    if (choice.passphrase_file.empty()) return std::string();
    return fail(ExitCode::kUsage, "--wifi-open and --wifi-passphrase-file do not go together");
  }
  if (choice.passphrase_file.empty() && variable == nullptr) {
    return fail(ExitCode::kUsage, "the passphrase of the Wi-Fi network is missing",
                std::string("give --wifi-passphrase-file FILE (- reads standard input), set ") + kVariable +
                    ", or say --wifi-open");
  }
  return choice.passphrase_file.empty() ? std::string(variable) : read_line(choice.passphrase_file);
}

// No message tells what the passphrase is.
Result check_passphrase(const std::string& passphrase) {
  if (passphrase.size() == kLongestPassphrase + 1 && std::ranges::all_of(passphrase, is_hex)) {
    return fail(ExitCode::kUsage, "a Wi-Fi key of 64 hexadecimal digits is not taken",
                "give the passphrase that it was made of");
  }
  if (passphrase.size() < kShortestPassphrase || passphrase.size() > kLongestPassphrase ||
      !std::ranges::all_of(passphrase, is_printable_ascii)) {
    return fail(ExitCode::kUsage, "the passphrase of a Wi-Fi network has 8 to 63 printable ASCII characters");
  }
  return {};
}

Result check_ssid(const std::string& ssid) {
  if (ssid.empty()) {
    return fail(ExitCode::kUsage, "a device with --modem esp-at needs a Wi-Fi network to join",
                "give --wifi-ssid NAME");
  }
  if (ssid.size() > kLongestSsid || std::ranges::any_of(ssid, is_control)) {
    return fail(ExitCode::kUsage, "the name of a Wi-Fi network has at most 32 bytes, none of them a control character");
  }
  return {};
}

}  // namespace

void add_modem_options(Command& command, ModemChoice& choice) {
  command
      .option("--modem", "quectel|esp-at", &choice.modem,
              "what modem a new device has: a cellular Quectel BG95, or a Wi-Fi module with Espressif's ESP-AT")
      .choices({"quectel", "esp-at"})
      .shows_default("quectel");
  command.option("--wifi-ssid", "NAME", &choice.ssid, "Wi-Fi network that a new device joins, with --modem esp-at");
  command
      .option(
          "--wifi-passphrase-file", "FILE", &choice.passphrase_file,
          "its passphrase is the first line of this file; - reads standard input. Else MVCTL_WIFI_PASSPHRASE is read")
      .complete(Completion::kFile);
  command.flag("--wifi-open", choice.open, "the Wi-Fi network has no passphrase");
}

tl::expected<std::optional<emulator::WifiNetwork>, Failure> read_modem_choice(const ModemChoice& choice) {
  if (choice.modem != "esp-at") {
    if (!choice.any()) return std::nullopt;
    return fail(ExitCode::kUsage, "only a device with --modem esp-at joins a Wi-Fi network");
  }
  if (auto checked = check_ssid(choice.ssid); !checked) return tl::unexpected(checked.error());
  auto passphrase = read_passphrase(choice);
  if (!passphrase) return tl::unexpected(passphrase.error());
  if (!choice.open) {
    if (auto checked = check_passphrase(*passphrase); !checked) return tl::unexpected(checked.error());
  }
  return emulator::WifiNetwork{choice.ssid, std::move(*passphrase)};
}

}  // namespace mv::cli
