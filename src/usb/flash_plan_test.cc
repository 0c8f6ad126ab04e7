#include "usb/flash_plan.h"

#include <unistd.h>

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bundle/hash.h"
#include "usb/dfuse_model.h"
#include "usb/option_bytes.h"

namespace mv::usb {
namespace {

using testing::HasSubstr;
using testing::Not;

class FlashPlanTest : public testing::Test {
 protected:
  FlashPlanTest() { std::filesystem::create_directories(folder_); }
  ~FlashPlanTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path file(const std::string& name, const std::string& content) {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return folder_ / name;
  }

  static std::string word(std::uint32_t value) {
    std::string bytes;
    for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<char>(value >> 8 * i));
    return bytes;
  }

  // As boot/sign_image.py makes it; the signature is the boot stage's to check.
  static std::string signed_image(const std::string& content, const std::string& board = "stm32u585",
                                  std::uint32_t load_address = 0x0C11'0000) {
    std::string name = board;
    name.resize(12);
    const auto hash = bundle::sha256(bundle::as_bytes(content));
    return "MVIM" + word(2) + word(static_cast<std::uint32_t>(content.size())) + word(load_address) + word(0x00020003) +
           name + std::string(hash.bytes.begin(), hash.bytes.end()) + std::string(64, 's') + content;
  }

  static std::string program(std::uint32_t address) {
    return word(0x3004'0000) + word(address + 0x101) + std::string(0x200, 'x');
  }

  std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("mv-plan-" + std::to_string(::getpid()));
};

TEST_F(FlashPlanTest, ASignedImageGoesWhereItsHeaderSaysThatItRuns) {
  const auto regions = load_image({file("microvisor.bin", signed_image("code")), std::nullopt});

  ASSERT_TRUE(regions.has_value()) << regions.error().message;
  EXPECT_EQ((*regions)[0].what, "microvisor 0.2.3");
  EXPECT_EQ((*regions)[0].address, 0x0810'FF80U) << "as the boot loader sees it";
  EXPECT_EQ((*regions)[0].content.size() % 16, 0U);
}

TEST_F(FlashPlanTest, AnImageForAnotherBoardIsRefused) {
  const auto regions = load_image({file("m.bin", signed_image("code", "mps2-an505")), std::nullopt});

  ASSERT_FALSE(regions.has_value());
  EXPECT_EQ(regions.error().message, "m.bin is a microvisor for mps2-an505, this is stm32u585");
}

TEST_F(FlashPlanTest, ADamagedOrShortenedImageIsRefused) {
  std::string image = signed_image("0123456789");
  for (std::size_t length = 4; length < image.size(); ++length) {
    EXPECT_FALSE(check_signed_image(bundle::as_bytes(std::string_view(image).substr(0, length)))) << length;
  }
  image.back() ^= 1;
  EXPECT_THAT(load_image({file("m.bin", image), std::nullopt}).error().message, HasSubstr("damaged"));
}

TEST_F(FlashPlanTest, AnImageThatRunsInRamNeedsAnAddress) {
  const auto path = file("m.bin", signed_image("code", "stm32u585", 0x3000'0000));

  EXPECT_THAT(load_image({path, std::nullopt}).error().hint, HasSubstr("@microvisor"));
  EXPECT_TRUE(load_image({path, 0x0C10'8000}).has_value());
}

TEST_F(FlashPlanTest, ARawImageNeedsAnAddressAndAVectorTableThatFits) {
  const auto path = file("boot.bin", program(0x0C10'0000));

  EXPECT_THAT(load_image({path, std::nullopt}).error().hint, HasSubstr("@boot-stage"));
  EXPECT_THAT(load_image({path, 0x0C00'0000}).error().message, HasSubstr("vector table"));
  const auto regions = load_image({path, 0x0C10'0000});
  ASSERT_TRUE(regions.has_value()) << regions.error().message;
  EXPECT_EQ((*regions)[0].address, 0x0810'0000U);
  EXPECT_FALSE(load_image({file("short.bin", "abc"), 0x0C10'0000}).has_value());
}

TEST_F(FlashPlanTest, NothingGoesPastTheEndOfTheFlash) {
  const auto path = file("m.bin", signed_image(std::string(8192, 'x')));

  EXPECT_TRUE(load_image({path, 0x0C1F'0000}).has_value());
  EXPECT_THAT(load_image({path, 0x0C1F'F000}).error().message, HasSubstr("not inside the flash"));
  EXPECT_FALSE(load_image({path, 0x2000'0000}).has_value());
  EXPECT_FALSE(load_image({path, 0xFFFF'FFF0}).has_value());
}

TEST_F(FlashPlanTest, HexGoesToTheAddressesInIt) {
  // Extended linear address 0x0C10, then four bytes at 0x0008: not at the beginning of a quad-word.
  const auto path = file("a.hex", ":020000040C10DE\n:0400080001020304EA\n:00000001FF\n");

  const auto regions = load_image({path, std::nullopt});

  ASSERT_TRUE(regions.has_value()) << regions.error().message;
  EXPECT_EQ((*regions)[0].address, 0x0810'0000U);
  EXPECT_EQ((*regions)[0].content[8], 1);
  EXPECT_EQ((*regions)[0].content[7], 0xFF);
  EXPECT_FALSE(load_image({path, 0x0C10'0000}).has_value()) << "it takes no other address";
}

TEST_F(FlashPlanTest, RegionsThatOverlapAreNamed) {
  const auto arranged = arrange({Region{"b", 0x0810'0010, std::vector<std::uint8_t>(16)},
                                 Region{"a", 0x0810'0000, std::vector<std::uint8_t>(32)}});

  ASSERT_FALSE(arranged.has_value());
  EXPECT_THAT(arranged.error().message, HasSubstr("a reaches into b"));
}

TEST_F(FlashPlanTest, AnArgumentIsAFileAndPerhapsAPlace) {
  EXPECT_EQ(parse_image_argument("boot.bin@0x0C100000").address, 0x0C10'0000U);
  EXPECT_EQ(parse_image_argument("boot.bin@boot-stage").address, 0x0C10'0000U);
  EXPECT_EQ(parse_image_argument("boot.bin@boot-stage").file, "boot.bin");
  EXPECT_EQ(parse_image_argument("me@home.bin").file, "me@home.bin");
  EXPECT_EQ(parse_image_argument("a@0x1FFFFFFFF").address, std::nullopt);
  EXPECT_EQ(parse_image_argument("a@").file, "a@");
}

TEST_F(FlashPlanTest, APlaceThatNobodyKnowsIsNotTakenForAFileWithoutAWord) {
  EXPECT_THAT(load_image(parse_image_argument("boot.bin@bootstage")).error().hint, HasSubstr("boot-stage, microvisor"));
  EXPECT_THAT(load_image(parse_image_argument("no-such.bin")).error().hint, Not(HasSubstr("boot-stage")));
}

TEST(CheckChip, KnowsAnStm32U585FromItsNeighbours) {
  const auto check = [](const std::vector<std::string>& memories) {
    DfuseModel model("1");
    model.set_memories(memories);
    return check_chip(find_boards({model.description()})[0]);
  };
  EXPECT_TRUE(check({"@Internal Flash   /0x08000000/256*08Kg", "@Option Bytes   /0x40022040/01*64 e"}));
  // STM32U5A5, STM32U545, STM32H563, STM32L552, STM32F405; and one whose names cannot be read.
  EXPECT_FALSE(check({"@Internal Flash   /0x08000000/512*08Kg", "@Option Bytes   /0x40022040/01*64 e"}));
  EXPECT_FALSE(check({"@Internal Flash   /0x08000000/064*08Kg", "@Option Bytes   /0x40022040/01*64 e"}));
  EXPECT_FALSE(check({"@Internal Flash   /0x08000000/256*08Kg", "@Option Bytes   /0x5200201C/01*297 e"}));
  EXPECT_FALSE(check({"@Internal Flash   /0x08000000/256*02Kg", "@Option Bytes   /0x40022040/01*48 e"}));
  EXPECT_FALSE(
      check({"@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg", "@Option Bytes  /0x1FFFC000/01*016 e"}));
  EXPECT_FALSE(check({""}));
}

class OptionBytesTest : public testing::Test {
 protected:
  OptionBytes factory() {
    DfuseModel model("1");
    return *OptionBytes::parse(model.content(1));
  }
};

TEST_F(OptionBytesTest, FieldsAreReadAndSetByName) {
  OptionBytes options = factory();
  EXPECT_EQ(*options.get("RDP"), 0xAAU);
  EXPECT_EQ(*options.get("SECBOOTADD0"), 0x0C00'0000U);
  ASSERT_TRUE(options.set("SECBOOTADD0=0x0C100000").has_value());
  ASSERT_TRUE(options.set("TZEN=1").has_value());

  EXPECT_EQ(*options.get("SECBOOTADD0"), 0x0C10'0000U);
  EXPECT_EQ(*options.get("BOOT_LOCK"), 0U) << "it shares a register with the address";
  const auto changes = options.changes_from(factory());
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].name, "TZEN");
}

TEST_F(OptionBytesTest, WhatDoesNotFitIsRefused) {
  OptionBytes options = factory();
  EXPECT_THAT(options.set("TZEN=2").error(), HasSubstr("at most 1"));
  EXPECT_THAT(options.set("SECWM1_PEND=128").error(), HasSubstr("at most 127"));
  EXPECT_THAT(options.set("SECBOOTADD0=0x0C100010").error(), HasSubstr("multiple of 128"));
  EXPECT_THAT(options.set("TZON=1").error(), HasSubstr("there are RDP"));
  EXPECT_FALSE(options.set("TZEN").has_value());
  EXPECT_FALSE(options.set("TZEN=on").has_value());
  EXPECT_TRUE(options.changes_from(factory()).empty()) << "nothing of it took";
  EXPECT_FALSE(OptionBytes::parse(std::vector<std::uint8_t>(63)).has_value());
}

TEST_F(OptionBytesTest, NoWayBackIsNoWay) {
  OptionBytes level2 = factory(), locked = factory();
  ASSERT_TRUE(level2.set("RDP", 0xCC).has_value());
  ASSERT_TRUE(locked.set("BOOT_LOCK", 1).has_value());

  EXPECT_FALSE(level2.check_reversible(factory()).has_value());
  EXPECT_FALSE(locked.check_reversible(factory()).has_value());
  EXPECT_TRUE(locked.check_reversible(locked).has_value()) << "it is so already";
}

TEST_F(OptionBytesTest, PagesAreSecureByTheWatermarksOnceTrustZoneIsOn) {
  OptionBytes options = factory();
  EXPECT_FALSE(options.is_secure(0));
  for (const auto& setting : stm32u585::kMicrovisorSettings) {
    ASSERT_TRUE(options.set(setting.name, setting.value).has_value()) << setting.name;
  }
  EXPECT_FALSE(options.is_secure(0) || options.is_secure(0x0F'FFFF)) << "bank 1 is the application's";
  EXPECT_TRUE(options.is_secure(0x10'0000) && options.is_secure(stm32u585::kFlashSize - 1));
  ASSERT_TRUE(options.set("SECWM2_PSTRT=4").has_value());
  EXPECT_FALSE(options.is_secure(0x10'0000 + 3 * 8192));
  EXPECT_TRUE(options.is_secure(0x10'0000 + 4 * 8192));
}

}  // namespace
}  // namespace mv::usb
