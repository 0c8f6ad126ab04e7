#include "gdbserver/target/debug_link.h"

#include <map>

#include "gdbserver/target/agent_rig.h"
#include "wire/frame.h"

namespace mv::gdb {
namespace {

using frame::CloseReason;
using transport::PipeEnd;
using transport::test::bytes;

PipeEnd closed(CloseReason reason, const std::string& text = "") {
  return {PipeEnd::Reason::kPeerClosed, static_cast<std::uint16_t>(reason), text};
}

TEST(Classify, TriesAgainOnlyWhereThatMayHelp) {
  EXPECT_TRUE(classify({PipeEnd::Reason::kLost, 0, ""}).retry);
  EXPECT_EQ(classify({PipeEnd::Reason::kLost, 0, ""}).error.code, ErrorCode::kOffline);
  const std::map<CloseReason, std::pair<ErrorCode, bool>> meanings = {
      {CloseReason::kDone, {ErrorCode::kOffline, true}},       {CloseReason::kRefused, {ErrorCode::kRefused, false}},
      {CloseReason::kProtocol, {ErrorCode::kProtocol, false}}, {CloseReason::kBusy, {ErrorCode::kBusy, true}},
      {CloseReason::kGone, {ErrorCode::kOffline, true}},
  };
  for (const auto& [reason, meaning] : meanings) {
    const auto lost = classify(closed(reason));
    EXPECT_EQ(lost.error.code, meaning.first) << static_cast<int>(reason);
    EXPECT_EQ(lost.retry, meaning.second) << static_cast<int>(reason);
    EXPECT_FALSE(lost.error.text.empty());
    EXPECT_EQ(classify(closed(reason, "its own words")).error.text, "its own words");
  }
}

TEST(Classify, TakesAReasonItDoesNotKnowForADeviceThatWent) {
  const auto lost = classify({PipeEnd::Reason::kPeerClosed, 999, ""});
  EXPECT_EQ(lost.error.code, ErrorCode::kOffline);
  EXPECT_TRUE(lost.retry);
}

class DebugLinkTest : public AgentRig {
 protected:
  void open() {
    link_.open({.on_open = [this] { ++opened_; },
                .on_data = [this](std::span<const std::uint8_t> data) { received_.append(data.begin(), data.end()); },
                .on_lost = [this](const AgentLink::Lost& lost) { lost_.push_back(lost); }});
  }

  int opened_ = 0;
  std::string received_;
  std::vector<AgentLink::Lost> lost_;
};

TEST_F(DebugLinkTest, CarriesBytesOnceItIsOpen) {
  open();
  EXPECT_EQ(opened_, 0) << "never from within the call";
  run();
  EXPECT_EQ(opened_, 1);
  std::string heard;
  device_->on_data = [&](std::span<const std::uint8_t> data) { heard.append(data.begin(), data.end()); };
  link_.send(bytes("up"));
  run();
  say_raw(bytes("down"));
  EXPECT_EQ(heard, "up");
  EXPECT_EQ(received_, "down");
  EXPECT_TRUE(lost_.empty());
}

TEST_F(DebugLinkTest, TellsWhyTheCarrierCannotBeOpened) {
  refusal_ = AgentLink::Lost{{ErrorCode::kNotFound, "no such device"}, false};
  open();
  run();
  ASSERT_EQ(lost_.size(), 1U);
  EXPECT_EQ(lost_[0].error.code, ErrorCode::kNotFound);
  EXPECT_FALSE(lost_[0].retry);
}

TEST_F(DebugLinkTest, TellsOnceThatItWasCutAndOpensAgain) {
  open();
  run();
  cut();
  ASSERT_EQ(lost_.size(), 1U);
  EXPECT_TRUE(lost_[0].retry);
  link_.send(bytes("into the void"));
  open();
  run();
  EXPECT_EQ(opened_, 2);
  EXPECT_EQ(lost_.size(), 1U);
}

TEST_F(DebugLinkTest, SaysNothingOfAnAttemptThatWasGivenUp) {
  open();
  link_.close();
  run();
  EXPECT_EQ(opened_, 0);
  EXPECT_TRUE(lost_.empty());
}

TEST_F(DebugLinkTest, FollowsTheLastAttemptOnly) {
  open();
  open();
  run();
  EXPECT_EQ(opens_, 2);
  EXPECT_EQ(opened_, 1);
}

TEST_F(DebugLinkTest, SaysThatTheDeviceRefusedTheKey) {
  pinned_ = new_debug_key();
  open();
  run();
  ASSERT_EQ(lost_.size(), 1U);
  EXPECT_EQ(lost_[0].error.code, ErrorCode::kRefused);
  EXPECT_FALSE(lost_[0].retry);
}

TEST_F(DebugLinkTest, SaysThatTheAuthorityCannotBeRead) {
  DebugLink link([this](DebugLink::Opened opened) { open_carrier(std::move(opened)); }, time_, key_,
                 {"no certificate", kDeviceId});
  std::vector<AgentLink::Lost> lost;
  link.open(
      {.on_open = [] { FAIL(); }, .on_data = [](auto) {}, .on_lost = [&](const auto& why) { lost.push_back(why); }});
  run();
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].error.code, ErrorCode::kBadRequest);
}

TEST_F(DebugLinkTest, MayBeDestroyedWhileItOpens) {
  auto link = std::make_unique<DebugLink>([this](DebugLink::Opened opened) { open_carrier(std::move(opened)); }, time_,
                                          key_, transport::SecureChannel::Peer{authority_.certificate(), kDeviceId});
  link->open({.on_open = [] { FAIL(); }, .on_data = [](auto) {}, .on_lost = [](const auto&) { FAIL(); }});
  link.reset();
  run();
  EXPECT_EQ(opens_, 1);
}

}  // namespace
}  // namespace mv::gdb
