// The agent client against a device that answers late, wrongly, in another order, or never.
#include "gdbserver/target/agent_client.h"

#include "gdbserver/target/agent_rig.h"

namespace mv::gdb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class AgentClientTest : public AgentRig {
 protected:
  void SetUp() override {
    client_.on_notice = [this](const std::string& text) { notices_.push_back(text); };
  }

  void attach(bool halt = true) {
    client_.attach(halt, [this](Result<wire::Attached> result) { attached_ = std::move(result); });
    run();
  }

  // Attached, and nothing asked yet.
  void start() {
    attach();
    say(attached());
    ASSERT_TRUE(attached_ && *attached_);
    take_requests();
  }

  // A request whose answer lands in `answers_`.
  void ask(const wire::AgentRequest& request = read_request()) {
    client_.call(request, [this](Result<wire::AgentReply> reply) { answers_.push_back(std::move(reply)); });
    run();
  }

  static wire::AgentRequest read_request() {
    wire::AgentRequest request;
    request.mutable_read()->add_ranges()->set_length(4);
    return request;
  }
  static wire::AgentRequest resume_request() {
    wire::AgentRequest request;
    request.mutable_resume();
    return request;
  }

  void expect_failure(ErrorCode code, std::size_t answer = 0) {
    ASSERT_GT(answers_.size(), answer);
    ASSERT_FALSE(answers_[answer].has_value());
    EXPECT_EQ(answers_[answer].error().code, code) << answers_[answer].error().text;
  }

  std::optional<Result<wire::Attached>> attached_;
  std::vector<Result<wire::AgentReply>> answers_;
  std::vector<std::string> notices_;
};

TEST_F(AgentClientTest, BeginsASessionWithAnIdOfItsOwn) {
  attach();
  const auto requests = take_requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].sequence(), 0U);
  EXPECT_EQ(requests[0].attach().session(), std::string(16, '\x01'));
  EXPECT_TRUE(requests[0].attach().halt());
  EXPECT_FALSE(attached_) << "not before the device answers";
  say(attached());
  ASSERT_TRUE(attached_ && attached_->has_value());
  EXPECT_EQ((*attached_)->board(), "mps2-an505");
}

TEST_F(AgentClientTest, SendsOneNumberedRequestAtATime) {
  start();
  ask();
  ask();
  auto requests = take_requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].sequence(), 1U);
  say(done(1));
  requests = take_requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].sequence(), 2U);
  say(done(2));
  EXPECT_EQ(answers_.size(), 2U);
}

TEST_F(AgentClientTest, TakesAReplyThatComesInPieces) {
  start();
  ask();
  for (const std::uint8_t byte : frame_message(done(1).SerializeAsString())) {
    EXPECT_TRUE(answers_.empty());
    say_raw({&byte, 1});
  }
  EXPECT_EQ(answers_.size(), 1U);
}

TEST_F(AgentClientTest, IgnoresRepliesToWhatWasNotAsked) {
  start();
  say(done(1));
  ask();
  ask();
  for (const std::uint32_t sequence : {0U, 2U, 99U, 0xFFFFFFFFU}) say(done(sequence));
  EXPECT_TRUE(answers_.empty()) << "the second request is not open yet, and the others never were";
  say(done(1));
  say(done(1));
  EXPECT_EQ(answers_.size(), 1U) << "the same answer twice is one answer";
  say(done(2));
  EXPECT_EQ(answers_.size(), 2U);
}

TEST_F(AgentClientTest, ConnectsAgainWhenAnAnswerNeverComes) {
  start();
  ask();
  pass(milliseconds(9'999));
  EXPECT_EQ(opens_, 1);
  pass(milliseconds(1));
  EXPECT_EQ(notices_, std::vector<std::string>{"the link to the device was lost; connecting again"});
  EXPECT_FALSE(client_.connected());
  pass(milliseconds(250));
  EXPECT_EQ(opens_, 2);
  const auto requests = take_requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[1].attach().session(), std::string(16, '\x01')) << "the same session";
  EXPECT_TRUE(requests[1].attach().halt());
  say(attached(true));
  const auto again = take_requests();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].sequence(), 1U) << "the same number, so that nothing happens twice";
  say(done(1));
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_TRUE(answers_[0].has_value());
  EXPECT_EQ(notices_.back(), "the device is connected again");
}

TEST_F(AgentClientTest, IsNotHeldUpByRepliesToSomethingElse) {
  start();
  ask();
  pass(seconds(9));
  say(done(77));
  pass(seconds(1));
  EXPECT_EQ(notices_.size(), 1U) << "the answer is late all the same";
}

TEST_F(AgentClientTest, AsksAgainWhenTheLinkIsCutDuringARequest) {
  start();
  ask();
  ask();
  cut();
  EXPECT_TRUE(answers_.empty());
  pass(milliseconds(250));
  say(attached(true));
  say(done(1));
  say(done(2));
  ASSERT_EQ(answers_.size(), 2U);
  EXPECT_TRUE(answers_[0] && answers_[1]);
}

TEST_F(AgentClientTest, ForgetsHalfAReplyOfTheLostLink) {
  start();
  ask();
  const auto reply = frame_message(done(1).SerializeAsString());
  say_raw(std::span(reply).first(3));
  cut();
  pass(milliseconds(250));
  say(attached(true));
  say(done(1));
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_TRUE(answers_[0].has_value());
}

TEST_F(AgentClientTest, WaitsLongerAndLongerForALinkThatDoesNotComeBack) {
  start();
  refusal_ = AgentLink::Lost{{ErrorCode::kOffline, "the device is offline"}, true};
  cut();
  for (const int wait : {250, 500, 1000, 2000, 4000, 5000, 5000}) {
    const int before = opens_;
    pass(milliseconds(wait - 1));
    EXPECT_EQ(opens_, before) << wait;
    pass(milliseconds(1));
    EXPECT_EQ(opens_, before + 1) << wait;
  }
  EXPECT_EQ(notices_.size(), 1U) << "said once";
  refusal_.reset();
  pass(seconds(5));
  say(attached(true));
  EXPECT_TRUE(client_.connected());
}

TEST_F(AgentClientTest, FailsWhatIsOpenWhenTheDeviceHasRestarted) {
  start();
  ask();
  ask();
  cut();
  pass(milliseconds(250));
  say(attached(false));
  expect_failure(ErrorCode::kSessionLost, 0);
  expect_failure(ErrorCode::kSessionLost, 1);
  take_requests();
  ask();
  EXPECT_EQ(take_requests().at(0).sequence(), 1U) << "a new session is numbered anew";
}

TEST_F(AgentClientTest, EndsOnAMessageThatCannotBeRead) {
  start();
  ask();
  const std::vector<std::uint8_t> garbage = {0, 4, 0xFF, 0xFF, 0xFF, 0xFF};
  say_raw(garbage);
  expect_failure(ErrorCode::kProtocol);
  pass(seconds(60));
  EXPECT_EQ(opens_, 1) << "connecting again would not help";
}

TEST_F(AgentClientTest, EndsOnAnAttachThatIsAnsweredWithNothing) {
  attach();
  say_raw(std::vector<std::uint8_t>{0, 0});
  ASSERT_TRUE(attached_ && !attached_->has_value());
  EXPECT_EQ(attached_->error().code, ErrorCode::kProtocol);
}

TEST_F(AgentClientTest, OutlivesTheLongestMessageThereCanBe) {
  start();
  ask();
  wire::AgentReply reply = done(1);
  reply.set_detail(std::string(kMaxAgentMessage - 16, 'x'));
  say(reply);
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_TRUE(answers_[0].has_value());
}

TEST_F(AgentClientTest, HandsOverTheDevicesErrorsInWords) {
  start();
  ask();
  ask();
  ask();
  say(refused(1, wire::AGENT_BAD_ADDRESS));
  say(refused(2, wire::AGENT_NO_BREAKPOINT_FREE, "all 4 are in use"));
  say(refused(3, static_cast<wire::AgentError>(77)));
  expect_failure(ErrorCode::kBadAddress, 0);
  EXPECT_EQ(answers_[0].error().text, "not memory of the application");
  expect_failure(ErrorCode::kNoBreakpointFree, 1);
  EXPECT_EQ(answers_[1].error().text, "all 4 are in use");
  expect_failure(ErrorCode::kProtocol, 2);
  EXPECT_NE(answers_[2].error().text.find("77"), std::string::npos);
}

TEST_F(AgentClientTest, MayAttachAgainAfterARefusal) {
  attach();
  say(refused(0, wire::AGENT_BUSY));
  ASSERT_TRUE(attached_ && !attached_->has_value());
  EXPECT_EQ(attached_->error().code, ErrorCode::kBusy);
  take_requests();
  attached_.reset();
  attach();
  const auto requests = take_requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].attach().session(), std::string(16, '\x02')) << "a session of its own";
  say(attached());
  EXPECT_TRUE(attached_ && attached_->has_value());
}

TEST_F(AgentClientTest, DoesNotInsistWhereNoLinkEverWas) {
  refusal_ = AgentLink::Lost{{ErrorCode::kUnreachable, "no route"}, true};
  attach();
  ASSERT_TRUE(attached_ && !attached_->has_value());
  EXPECT_EQ(attached_->error().code, ErrorCode::kUnreachable);
  pass(seconds(60));
  EXPECT_EQ(opens_, 1);
}

// A device that restarted while nobody debugged has not said so: the next attach finds out.
TEST_F(AgentClientTest, AttachesOverANewLinkWhenTheOneThatStoodIsDead) {
  attach();
  say(refused(0, wire::AGENT_BUSY));
  take_requests();
  attached_.reset();
  attach();
  cut();
  EXPECT_FALSE(attached_) << "not yet a failure";
  pass(seconds(1));
  EXPECT_EQ(opens_, 2);
  take_requests();
  say(attached());
  EXPECT_TRUE(attached_ && attached_->has_value());
}

TEST_F(AgentClientTest, DoesNotWaitForAnAttachThatIsNeverAnswered) {
  attach();
  pass(seconds(10));
  ASSERT_TRUE(attached_ && !attached_->has_value());
  EXPECT_EQ(attached_->error().code, ErrorCode::kTimeout);
}

TEST_F(AgentClientTest, SaysThatTheDeviceTakesAnotherKey) {
  pinned_ = new_debug_key();
  attach();
  ASSERT_TRUE(attached_ && !attached_->has_value());
  EXPECT_EQ(attached_->error().code, ErrorCode::kRefused);
  EXPECT_EQ(opens_, 1);
}

TEST_F(AgentClientTest, FailsARequestWhenTheLinkIsGoneForGood) {
  start();
  say_raw(std::vector<std::uint8_t>{0, 1, 0xFF});
  ask();
  expect_failure(ErrorCode::kProtocol);
}

TEST_F(AgentClientTest, FailsARequestBeforeThereIsALink) {
  ask();
  expect_failure(ErrorCode::kOffline);
}

TEST_F(AgentClientTest, LetsAnApplicationRunAsLongAsItLikes) {
  start();
  ask(resume_request());
  pass(std::chrono::hours(24));
  EXPECT_TRUE(client_.connected());
  EXPECT_TRUE(client_.resume_open());
  client_.interrupt();
  const auto requests = take_requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_TRUE(requests[1].has_interrupt());
  EXPECT_EQ(requests[1].sequence(), 0U);
  pass(seconds(10));
  EXPECT_FALSE(client_.connected()) << "but an interrupt must be answered";
}

TEST_F(AgentClientTest, InterruptsAsSoonAsThereIsALinkAgain) {
  start();
  ask(resume_request());
  cut();
  client_.interrupt();
  take_requests();
  pass(milliseconds(250));
  auto requests = take_requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_FALSE(requests[0].attach().halt()) << "the application is meant to run";
  say(attached(true));
  requests = take_requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_TRUE(requests[0].has_resume());
  EXPECT_TRUE(requests[1].has_interrupt());
}

TEST_F(AgentClientTest, CallsNobodyAfterClose) {
  start();
  ask();
  ask();
  client_.close();
  pass(seconds(60));
  EXPECT_TRUE(answers_.empty());
  EXPECT_EQ(opens_, 1);
}

TEST_F(AgentClientTest, MayBeClosedFromAnAnswer) {
  start();
  client_.call(read_request(), [this](Result<wire::AgentReply>) { client_.close(); });
  ask();
  run();
  auto two = frame_message(done(1).SerializeAsString());
  const auto second = frame_message(done(2).SerializeAsString());
  two.insert(two.end(), second.begin(), second.end());
  say_raw(two);
  EXPECT_TRUE(answers_.empty());
}

}  // namespace
}  // namespace mv::gdb
