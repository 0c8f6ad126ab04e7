// The protocol and the work above it, on the model of the boot loader (dfuse_model.h).
#include "usb/flasher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "usb/dfuse_model.h"
#include "usb/fake_bus.h"

namespace mv::usb {
namespace {

using testing::HasSubstr;

class FlasherTest : public testing::Test {
 protected:
  FlasherTest() { bus_.add(model_); }

  // Opens the flash, as a program does that has just been started.
  Expected<void> with_flash(const std::function<Expected<void>(DfuSe&)>& work) {
    boards_ = find_boards(*bus_.devices());
    if (boards_.empty()) return failed(Problem::kGone, "no board");
    auto device = bus_.open(boards_[0].usb);
    if (!device) return tl::make_unexpected(device.error());
    auto dfu = DfuSe::open(**device, boards_[0], *find_memory(boards_[0], "Internal Flash"), wait_);
    if (!dfu) return tl::make_unexpected(dfu.error());
    return work(*dfu);
  }

  Expected<void> write(const std::vector<Region>& regions) {
    return with_flash([&](DfuSe& dfu) {
      Flasher flasher(dfu, [&](const FlashProgress& progress) {
        progress_ = progress;
        return true;
      });
      auto written = flasher.write(regions);
      progress_ = flasher.progress();
      return written;
    });
  }

  static Region region(std::uint32_t address, std::size_t size) {
    Region made{"image", address, std::vector<std::uint8_t>(size)};
    for (std::size_t i = 0; i < size; ++i) made.content[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
    return made;
  }

  std::vector<std::uint8_t> flash_at(std::uint32_t offset, std::size_t size) {
    const auto begin = model_.content(0).begin() + offset;
    return {begin, begin + static_cast<std::ptrdiff_t>(size)};
  }

  DfuseModel model_{"207136863530"};
  FakeBus bus_;
  std::vector<Board> boards_;
  milliseconds waited_{0};
  Wait wait_ = [this](milliseconds pause) { waited_ += pause; };
  FlashProgress progress_;
};

TEST_F(FlasherTest, WritesTwoRegionsAndNothingElse) {
  const Region first = region(0x0810'0000, 20'000), second = region(0x081F'C000, 640);

  const auto written = write({first, second});

  ASSERT_TRUE(written.has_value()) << written.error().text;
  EXPECT_EQ(flash_at(0x10'0000, 20'000), first.content);
  EXPECT_EQ(flash_at(0x1F'C000, 640), second.content);
  EXPECT_EQ(flash_at(0x10'0000 + 20'000, 1)[0], 0xFF);
  EXPECT_EQ(model_.erases(), 4U) << "three pages and one";
}

TEST_F(FlasherTest, WhatStoodThereIsErasedFirst) {
  std::ranges::fill(model_.content(0), std::uint8_t{0x55});

  ASSERT_TRUE(write({region(0x0810'0000, 8192)}).has_value());

  EXPECT_EQ(flash_at(0x10'0000, 8192), region(0, 8192).content);
  EXPECT_EQ(flash_at(0x0F'FFFF, 1)[0], 0x55);
  EXPECT_EQ(flash_at(0x10'2000, 1)[0], 0x55);
}

TEST_F(FlasherTest, RegionsInOnePageAreErasedOnce) {
  ASSERT_TRUE(write({region(0x0810'0000, 64), region(0x0810'1000, 64)}).has_value());

  EXPECT_EQ(model_.erases(), 1U);
  EXPECT_EQ(flash_at(0x10'0000, 64), flash_at(0x10'1000, 64));
}

TEST_F(FlasherTest, AFlippedBitIsFoundByReadingBack) {
  model_.faults().flip_at = 2;

  const auto written = write({region(0x0810'0000, 8192)});

  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().problem, Problem::kMismatch);
  EXPECT_THAT(written.error().text, HasSubstr("0x0C100800"));
}

TEST_F(FlasherTest, UnpluggedAtAnyBlockItSaysHowFarItWas) {
  for (unsigned block = 1; block <= 4; ++block) {
    model_.plug();
    model_.faults() = {};
    model_.faults().unplug_at = model_.blocks() + block;

    const auto written = write({region(0x0810'0000, 8192)});

    ASSERT_FALSE(written.has_value());
    EXPECT_EQ(written.error().problem, Problem::kGone);
    EXPECT_EQ(progress_.stage, FlashProgress::Stage::kWrite);
    EXPECT_EQ(progress_.written, (block - 1) * 2048U);
  }
  // Plugged in again it works, whatever was left there.
  model_.plug();
  model_.faults() = {};
  EXPECT_TRUE(write({region(0x0810'0000, 8192)}).has_value());
  EXPECT_EQ(flash_at(0x10'0000, 8192), region(0, 8192).content);
}

TEST_F(FlasherTest, WhatTheDeviceRefusesIsSaidByName) {
  struct Case {
    std::uint8_t status;
    const char* name;
  };
  for (const Case& one : {Case{0x01, "errTARGET"}, Case{0x03, "errWRITE"}, Case{0x06, "errPROG"},
                          Case{0x0B, "errVENDOR"}, Case{0x0E, "errUNKNOWN"}, Case{0x77, "status 119"}}) {
    model_.faults().refuse_at = model_.blocks() + 1;
    model_.faults().status = one.status;

    const auto written = write({region(0x0810'0000, 4096)});

    ASSERT_FALSE(written.has_value());
    EXPECT_EQ(written.error().problem, Problem::kRefused);
    EXPECT_THAT(written.error().text, HasSubstr(one.name));
  }
  model_.faults() = {};
  EXPECT_TRUE(write({region(0x0810'0000, 4096)}).has_value()) << "the error has been cleared";
}

TEST_F(FlasherTest, AnAddressOutsideTheMemoryIsRefused) {
  const auto written =
      with_flash([&](DfuSe& dfu) { return dfu.write(0x2000'0000, region(0, 16).content, [](auto) { return true; }); });

  ASSERT_FALSE(written.has_value());
  EXPECT_THAT(written.error().text, HasSubstr("errTARGET"));
}

TEST_F(FlasherTest, WritingWhatIsNotErasedIsRefused) {
  std::ranges::fill(model_.content(0), std::uint8_t{0});

  const auto written =
      with_flash([&](DfuSe& dfu) { return dfu.write(0x0810'0000, region(0, 16).content, [](auto) { return true; }); });

  ASSERT_FALSE(written.has_value());
  EXPECT_THAT(written.error().text, HasSubstr("errPROG"));
}

TEST_F(FlasherTest, APollTimeoutIsWaitedForButNotBelievedBeyondReason) {
  model_.faults().poll_timeout = 20;
  ASSERT_TRUE(write({region(0x0810'0000, 2048)}).has_value());
  EXPECT_GE(waited_, milliseconds(2 * 20)) << "an erase and a block";
  EXPECT_LT(waited_, milliseconds(1000));

  waited_ = milliseconds(0);
  model_.faults().poll_timeout = 0xFF'FFFF;  // more than four hours
  ASSERT_TRUE(write({region(0x0810'0000, 16)}).has_value());
  EXPECT_LE(waited_, milliseconds(60'000));
}

TEST_F(FlasherTest, ADeviceThatStaysBusyIsGivenUp) {
  model_.faults().busy_for = 1'000'000;

  const auto written = write({region(0x0810'0000, 16)});

  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().problem, Problem::kTimeout);
  EXPECT_LT(waited_, milliseconds(40'000));
}

TEST_F(FlasherTest, ADeviceThatDoesNotAnswerIsATimeout) {
  model_.faults().no_answer = true;

  EXPECT_EQ(write({region(0x0810'0000, 16)}).error().problem, Problem::kTimeout);
}

TEST_F(FlasherTest, ADeviceLeftInErrorByAnotherProgramIsTakenOver) {
  (void)model_.control({0x21, 1, 0, 0}, std::vector<std::uint8_t>{0x99}, 0);  // no such command
  for (int i = 0; i < 3; ++i) (void)model_.control({0xA1, 3, 0, 0}, {}, 6);

  EXPECT_TRUE(write({region(0x0810'0000, 16)}).has_value());
}

TEST_F(FlasherTest, WithoutADfuSeDescriptorNothingIsTried) {
  for (Interface& interface : model_.description().interfaces) interface.extra.clear();
  EXPECT_EQ(write({region(0x0810'0000, 16)}).error().problem, Problem::kBadReply);

  model_.description().interfaces[0].extra = {9, 0x21, 0x0B, 0xFF, 0,
                                              0, 8,    0x10, 0x01};  // DFU 1.1 without ST's commands
  EXPECT_THAT(write({region(0x0810'0000, 16)}).error().text, HasSubstr("ST's extension"));

  model_.description().interfaces[0].extra = {9, 0x21, 0x09, 0xFF, 0, 0, 8, 0x1A, 0x01};  // no upload
  EXPECT_THAT(write({region(0x0810'0000, 16)}).error().text, HasSubstr("both written and read"));
  EXPECT_EQ(model_.erases(), 0U);
}

TEST_F(FlasherTest, InterruptedItStopsBetweenTwoBlocks) {
  const auto stopped = with_flash([&](DfuSe& dfu) {
    Flasher flasher(dfu, [](const FlashProgress& progress) { return progress.written < 4096; });
    return flasher.write({region(0x0810'0000, 8192)});
  });

  EXPECT_EQ(stopped.error().problem, Problem::kInterrupted);
  EXPECT_EQ(model_.blocks(), 2U);
}

TEST_F(FlasherTest, OptionBytesAreReadChangedAndWritten) {
  const Board board = find_boards(*bus_.devices())[0];
  const auto device = bus_.open(board.usb);
  auto options = read_option_bytes(**device, board, wait_);
  ASSERT_TRUE(options.has_value()) << options.error().text;
  EXPECT_FALSE(options->trust_zone());
  ASSERT_TRUE(options->set("TZEN", 1).has_value());

  ASSERT_TRUE(write_option_bytes(**device, board, *options, wait_).has_value());

  EXPECT_EQ(model_.content(1)[3] & 0x80, 0x80);
  EXPECT_EQ(model_.resets(), 1U);
}

}  // namespace
}  // namespace mv::usb
