#include "cli/modem_choice.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace mv::cli {
namespace {

class ModemChoiceTest : public testing::Test {
 protected:
  ModemChoiceTest() { ::unsetenv("MVCTL_WIFI_PASSPHRASE"); }
  ~ModemChoiceTest() override {
    ::unsetenv("MVCTL_WIFI_PASSPHRASE");
    std::filesystem::remove(file_);
  }

  void write(const std::string& text) const { std::ofstream(file_, std::ios::binary) << text; }

  std::string error() const {
    const auto network = read_modem_choice(choice_);
    return network ? "" : network.error().message;
  }

  std::string file_ = std::filesystem::temp_directory_path() / ("mv-passphrase-" + std::to_string(::getpid()));
  ModemChoice choice_{"esp-at", "home", file_, false};
};

TEST_F(ModemChoiceTest, IsACellularModemUnlessItIsSaidOtherwise) {
  const auto network = read_modem_choice({});
  ASSERT_TRUE(network.has_value());
  EXPECT_FALSE(network->has_value());
}

TEST_F(ModemChoiceTest, TakesThePassphraseFromTheFirstLineOfAFile) {
  write(" correct horse \r\nnot this\n");
  const auto network = read_modem_choice(choice_);
  ASSERT_TRUE(network.has_value()) << network.error().message;
  EXPECT_EQ((*network)->ssid, "home");
  EXPECT_EQ((*network)->passphrase, " correct horse ");
}

TEST_F(ModemChoiceTest, TakesThePassphraseFromTheEnvironment) {
  choice_.passphrase_file.clear();
  ::setenv("MVCTL_WIFI_PASSPHRASE", "correct horse", 1);
  EXPECT_EQ((*read_modem_choice(choice_))->passphrase, "correct horse");
}

TEST_F(ModemChoiceTest, TakesAnOpenNetworkOnlyIfItIsSaid) {
  choice_.passphrase_file.clear();
  EXPECT_EQ(error(), "the passphrase of the Wi-Fi network is missing");
  choice_.open = true;
  EXPECT_EQ((*read_modem_choice(choice_))->passphrase, "");
}

TEST_F(ModemChoiceTest, RefusesAPassphraseThatNoNetworkHas) {
  write("seven c\n");
  EXPECT_EQ(error(), "the passphrase of a Wi-Fi network has 8 to 63 printable ASCII characters");
  write(std::string(64, 'x') + "\n");
  EXPECT_EQ(error(), "the passphrase of a Wi-Fi network has 8 to 63 printable ASCII characters");
  write("p\xC3\xA4ssphrase\n");
  EXPECT_EQ(error(), "the passphrase of a Wi-Fi network has 8 to 63 printable ASCII characters");
  write(std::string(64, 'a') + "\n");
  EXPECT_EQ(error(), "a Wi-Fi key of 64 hexadecimal digits is not taken");
  write(std::string(63, 'x') + "\n");
  EXPECT_EQ(error(), "");
  std::filesystem::remove(file_);
  EXPECT_EQ(error(), "cannot read the passphrase of the Wi-Fi network from " + file_);
}

TEST_F(ModemChoiceTest, RefusesANameThatNoNetworkHas) {
  write("correct horse\n");
  choice_.ssid.clear();
  EXPECT_EQ(error(), "a device with --modem esp-at needs a Wi-Fi network to join");
  choice_.ssid = std::string(33, 'n');
  EXPECT_EQ(error(), "the name of a Wi-Fi network has at most 32 bytes, none of them a control character");
  choice_.ssid = "home\r\nAT+RST";
  EXPECT_EQ(error(), "the name of a Wi-Fi network has at most 32 bytes, none of them a control character");
}

TEST_F(ModemChoiceTest, RefusesANetworkForACellularModem) {
  choice_.modem = "quectel";
  EXPECT_EQ(error(), "only a device with --modem esp-at joins a Wi-Fi network");
}

}  // namespace
}  // namespace mv::cli
