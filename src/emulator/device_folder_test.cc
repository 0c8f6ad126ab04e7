#include "emulator/device_folder.h"

#include <gtest/gtest.h>

#include "emulator/test_folder.h"

namespace mv::emulator {
namespace {

TEST(DeviceName, MustBeFitForAFolder) {
  EXPECT_TRUE(is_valid_name("lab-3.a_b"));
  for (const char* bad : {"", ".", "..", ".hidden", "a/b", "a b", "a\n", "\xC3\xA4"})
    EXPECT_FALSE(is_valid_name(bad)) << bad;
  EXPECT_FALSE(is_valid_name(std::string(65, 'a')));
}

TEST(DeviceRecord, IsReadAsItWasWritten) {
  const TestFolder test;
  const DeviceFolder folder{test.path()};
  ASSERT_TRUE(write_record(folder, {"UV01", "https://cloud:8443", "mps2-an505"}).has_value());
  const auto record = read_record(folder);
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->sid, "UV01");
  EXPECT_EQ(record->cloud, "https://cloud:8443");
}

TEST(DeviceRecord, SaysWhatToDoWhenItIsBroken) {
  const TestFolder test;
  std::ofstream(test.path() / "device.json") << "{\"sid\": 7";
  const auto record = read_record({test.path()});
  ASSERT_FALSE(record.has_value());
  EXPECT_NE(record.error().find("remove "), std::string::npos);
}

TEST(DeviceWifi, IsReadAsItWasWrittenAndForItsOwnerOnly) {
  const TestFolder test;
  const DeviceFolder folder{test.path()};
  EXPECT_FALSE(read_wifi(folder)->has_value());
  ASSERT_TRUE(write_wifi(folder, {"home \xFF", " correct horse "}).has_value());
  const auto network = read_wifi(folder);
  ASSERT_TRUE(network.has_value() && network->has_value());
  EXPECT_EQ((*network)->ssid, "home \xFF");
  EXPECT_EQ((*network)->passphrase, " correct horse ");
  EXPECT_EQ(std::filesystem::status(folder.wifi()).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::ofstream(folder.wifi(), std::ios::trunc);
  EXPECT_FALSE(read_wifi(folder).has_value());
}

TEST(DeviceLock, IsHeldByOneAndSeenByOthers) {
  const TestFolder test;
  const DeviceFolder folder{test.path()};
  EXPECT_FALSE(is_supervised(folder));
  {
    const auto lock = DeviceLock::take(folder);
    ASSERT_TRUE(lock.has_value());
    EXPECT_TRUE(is_supervised(folder));
    EXPECT_FALSE(DeviceLock::take(folder).has_value());
  }
  EXPECT_FALSE(is_supervised(folder));
  EXPECT_TRUE(DeviceLock::take(folder).has_value());
}

}  // namespace
}  // namespace mv::emulator
