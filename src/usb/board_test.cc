#include "usb/board.h"

#include <gtest/gtest.h>

#include "usb/dfuse_model.h"
#include "usb/fake_bus.h"
#include "usb/serial_model.h"

namespace mv::usb {
namespace {

TEST(FindBoards, ABootLoaderCanBeFlashed) {
  const DfuseModel model("207136863530");

  const auto boards = find_boards({model.description()});

  ASSERT_EQ(boards.size(), 1U);
  EXPECT_EQ(boards[0].kind, Board::Kind::kBootLoader);
  EXPECT_TRUE(boards[0].can_flash());
  EXPECT_FALSE(boards[0].can_bridge());
  ASSERT_NE(find_memory(boards[0], "Internal Flash"), nullptr);
  EXPECT_EQ(find_memory(boards[0], "Option Bytes")->alternate, 1);
  EXPECT_EQ(find_memory(boards[0], "Option"), nullptr);
}

TEST(FindBoards, ABootLoaderWithoutReadableNamesIsListedButCannotBeFlashed) {
  DfuseModel model("207136863530");
  for (Interface& interface : model.description().interfaces) interface.name.clear();
  model.description().may_open = false;

  const auto boards = find_boards({model.description()});

  ASSERT_EQ(boards.size(), 1U);
  EXPECT_FALSE(boards[0].can_flash());
}

TEST(FindBoards, AnStLinksSerialPortIsFoundByItsUnionDescriptor) {
  const SerialModel model("0035001F3431511837393330");

  const auto boards = find_boards({model.description()});

  ASSERT_EQ(boards.size(), 1U);
  EXPECT_EQ(boards[0].kind, Board::Kind::kStLink);
  EXPECT_EQ(st_link_name(boards[0].usb.product), "STLINK-V3");
  ASSERT_TRUE(boards[0].can_bridge());
  const SerialFunction& port = boards[0].serial[0];
  EXPECT_EQ(port.control_interface, 1);
  EXPECT_EQ(port.data_interface, 2);
  EXPECT_EQ(port.bulk_in, 0x86);
  EXPECT_EQ(port.bulk_out, 0x06);
}

TEST(FindBoards, WithoutAUnionDescriptorTheNextInterfaceCounts) {
  SerialModel model("1");
  model.description().interfaces[1].extra = {5, 0x24, 0, 0x10, 1};

  EXPECT_EQ(find_boards({model.description()})[0].serial.size(), 1U);
}

TEST(FindBoards, AUnionThatLeadsNowhereIsNoSerialPort) {
  SerialModel model("1");
  model.description().interfaces[1].extra = {5, 0x24, 6, 1, 9};

  EXPECT_FALSE(find_boards({model.description()})[0].can_bridge());
}

TEST(FindBoards, ADataInterfaceWithoutBothEndpointsIsNoSerialPort) {
  SerialModel model("1");
  model.description().interfaces[2].endpoints.pop_back();

  EXPECT_FALSE(find_boards({model.description()})[0].can_bridge());
}

TEST(FindBoards, ADeviceThatIsNoBoardIsLeftOut) {
  SerialModel model("1");
  model.description().vendor = 0x046D;
  model.description().interfaces.resize(1);

  EXPECT_TRUE(find_boards({model.description()}).empty());
}

TEST(FindBoards, AForeignSerialPortIsListedAsOne) {
  SerialModel model("1");
  model.description().vendor = 0x2341;

  EXPECT_EQ(find_boards({model.description()})[0].kind, Board::Kind::kSerial);
}

TEST(DfuFunction, IsReadFromBetweenOtherDescriptors) {
  const std::vector<std::uint8_t> extra = {3, 0x41, 7, 9, 0x21, 0x0B, 0xFF, 0x00, 0x00, 0x08, 0x1A, 0x01};

  const auto function = find_dfu_function(extra);

  ASSERT_TRUE(function.has_value());
  EXPECT_EQ(function->transfer_size, 2048);
  EXPECT_EQ(function->detach_timeout, 255);
  EXPECT_TRUE(function->is_dfuse() && function->can_download() && function->can_upload());
}

TEST(DfuFunction, HostileLengthsAreNoDescriptor) {
  using Bytes = std::vector<std::uint8_t>;
  EXPECT_FALSE(find_dfu_function(Bytes{}));
  EXPECT_FALSE(find_dfu_function(Bytes{9}));
  EXPECT_FALSE(find_dfu_function(Bytes{0, 0x21, 0x0B, 0xFF, 0, 0, 8, 0x1A, 1})) << "a length of 0 leads nowhere";
  EXPECT_FALSE(find_dfu_function(Bytes{9, 0x21, 0x0B, 0xFF, 0, 0, 8})) << "it is longer than what came";
  EXPECT_FALSE(find_dfu_function(Bytes{6, 0x21, 0x0B, 0xFF, 0, 0})) << "it is too short for its fields";
  EXPECT_FALSE(find_dfu_function(Bytes{9, 0x21, 0x0B, 0xFF, 0, 0, 0, 0x1A, 1})) << "blocks of no bytes";
}

}  // namespace
}  // namespace mv::usb
