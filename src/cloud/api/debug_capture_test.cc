#include "cloud/api/debug_capture.h"

#include <gtest/gtest.h>

#include "cloud/files.h"
#include "cloud/temporary_folder.h"

namespace mv::cloud {
namespace {

TEST(DebugCapture, KeepsTheTwoDirectionsApartAndInOrder) {
  TemporaryFolder folder;
  auto capture = DebugCapture::create(folder.path(), "UV1");
  ASSERT_TRUE(capture);
  ASSERT_TRUE(capture->write(DebugCapture::Direction::kToDevice, "a"));
  ASSERT_TRUE(capture->write(DebugCapture::Direction::kFromDevice, "x"));
  ASSERT_TRUE(capture->write(DebugCapture::Direction::kToDevice, "b"));
  EXPECT_EQ(*read_file(folder.path() / "UV1-1.to-device"), "ab");
  EXPECT_EQ(*read_file(folder.path() / "UV1-1.from-device"), "x");
}

TEST(DebugCapture, OverwritesNothing) {
  TemporaryFolder folder;
  ASSERT_TRUE(DebugCapture::create(folder.path(), "UV1")->write(DebugCapture::Direction::kToDevice, "first"));
  ASSERT_TRUE(DebugCapture::create(folder.path(), "UV1")->write(DebugCapture::Direction::kToDevice, "second"));
  EXPECT_EQ(*read_file(folder.path() / "UV1-1.to-device"), "first");
  EXPECT_EQ(*read_file(folder.path() / "UV1-2.to-device"), "second");
}

TEST(DebugCapture, SaysWhichFileCannotBeMade) {
  const auto capture = DebugCapture::create("/nowhere", "UV1");
  ASSERT_FALSE(capture);
  EXPECT_EQ(capture.error(), "cannot create /nowhere/UV1-1.to-device: No such file or directory");
}

}  // namespace
}  // namespace mv::cloud
