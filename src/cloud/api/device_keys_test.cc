// A change of a device's signer keys from the order to the device's answer.
#include "bundle/key_change.h"
#include "cloud/api/api_fixture.h"
#include "cloud/http/form.h"
#include "cloud/link/link_fixture.h"
#include "wire/proto/keys.pb.h"

namespace mv::cloud {
namespace {

class DeviceKeysTest : public ApiFixture {
 protected:
  void SetUp() override {
    ApiFixture::SetUp();
    services_.authority = *create_authority();
  }

  bundle::SignedKeyChange change(std::uint64_t sequence = 5) const {
    bundle::KeyChange change;
    change.sequence = sequence;
    change.device_id = ApiFixture::kDevice;
    change.threshold = 1;
    return *bundle::SignedKeyChange::make(change)->signed_with(key_);
  }

  static std::string bytes_of(const bundle::SignedKeyChange& change) {
    return {change.encoded().begin(), change.encoded().end()};
  }
  static std::string text(const bundle::Hash& hash) { return {hash.bytes.begin(), hash.bytes.end()}; }

  HttpReply order(const std::string& bytes) {
    std::string base64;
    for (const char each : to_base64(bytes)) {
      base64 += each == '+' ? "%2B" : each == '/' ? "%2F" : each == '=' ? "%3D" : std::string(1, each);
    }
    return reply("POST", std::string("/v1/Devices/") + ApiFixture::kDevice + "/Keys", "Change=" + base64);
  }

  // What the device says of its keys, and of the change that it was given.
  static std::string says(std::uint64_t sequence, const std::string& answered = "",
                          wire::KeyChangeError error = wire::KEYS_OK, const std::string& carried_out = "") {
    wire::DeviceControl message;
    wire::KeysReport& report = *message.mutable_keys();
    report.set_sequence(sequence);
    report.set_threshold(1);
    report.add_keys(0x1122334455667788);
    report.set_answered(answered);
    report.set_error(error);
    report.set_change(carried_out);
    return control(message);
  }

  // The changes that the device got since.
  static std::vector<std::string> given(Link& link) {
    std::vector<std::string> changes;
    for (const wire::CloudControl& message : link.take_control()) {
      if (!message.key_change().empty()) changes.push_back(message.key_change());
    }
    return changes;
  }

  nlohmann::json keys() { return ask("GET")["signer_keys"]; }

  const bundle::PrivateKey key_ = *bundle::PrivateKey::generate();
};

TEST_F(DeviceKeysTest, ADeviceSaysWhatKeysItHas) {
  EXPECT_EQ(keys()["threshold"], nullptr);
  Link link(services_);
  link.hello();
  link.send(says(0));
  EXPECT_EQ(keys()["keys"], nlohmann::json({"1122334455667788"}));
  EXPECT_EQ(keys()["threshold"], 1);
  EXPECT_EQ(keys()["change"], nullptr);
}

TEST_F(DeviceKeysTest, AnOrderReachesADeviceThatIsOnlineAndOneThatComesLater) {
  Link link(services_);
  link.hello();
  link.take();
  const auto wanted = change();
  ASSERT_EQ(order(bytes_of(wanted)).status, 202);
  EXPECT_EQ(given(link), std::vector<std::string>{bytes_of(wanted)});
  EXPECT_EQ(keys()["change"]["status"], "pending");
  Link again(services_);
  again.hello();
  EXPECT_EQ(given(again), std::vector<std::string>{bytes_of(wanted)});
  again.send(says(5, text(wanted.hash()), wire::KEYS_OK, text(wanted.body_hash())));
  EXPECT_EQ(keys()["change"]["status"], "done");
  EXPECT_EQ(keys()["sequence"], 5);
  Link third(services_);
  third.hello();
  EXPECT_TRUE(given(third).empty());
}

TEST_F(DeviceKeysTest, AnAnswerThatWasLostComesWithTheNextHello) {
  const auto wanted = change();
  ASSERT_EQ(order(bytes_of(wanted)).status, 202);
  Link link(services_);
  wire::DeviceControl hello = hello_message();
  hello.mutable_hello()->mutable_keys()->set_threshold(1);
  hello.mutable_hello()->mutable_keys()->set_sequence(5);
  hello.mutable_hello()->mutable_keys()->add_keys(1);
  hello.mutable_hello()->mutable_keys()->set_change(text(wanted.body_hash()));
  link.send(control(hello));
  EXPECT_TRUE(given(link).empty());
  EXPECT_EQ(keys()["change"]["status"], "done");
}

TEST_F(DeviceKeysTest, ARefusalIsSaidAndNotTriedAgain) {
  const auto wanted = change();
  ASSERT_EQ(order(bytes_of(wanted)).status, 202);
  Link link(services_);
  link.hello();
  link.send(says(0, text(wanted.hash()), wire::KEYS_IN_USE));
  EXPECT_EQ(keys()["change"]["status"], "refused");
  EXPECT_NE(keys()["change"]["detail"].get<std::string>().find("the bundle that runs needs a key"), std::string::npos);
  Link again(services_);
  again.hello();
  EXPECT_TRUE(given(again).empty());
  ASSERT_EQ(order(bytes_of(wanted)).status, 202) << "but it may be ordered again";
  EXPECT_EQ(given(again).size(), 1U);
}

TEST_F(DeviceKeysTest, OneThatHasToWaitForATrialIsGivenAgainAfterIt) {
  Link link(services_);
  link.hello();
  const auto wanted = change();
  ASSERT_EQ(order(bytes_of(wanted)).status, 202);
  EXPECT_EQ(given(link).size(), 1U);
  wire::DeviceControl report;
  report.mutable_app_report()->set_state(wire::APP_RUNNING);
  report.mutable_app_report()->set_wait(wire::WAIT_CONFIRMATION);
  link.send(says(0, text(wanted.hash()), wire::KEYS_NOT_NOW));
  link.send(control(report));
  EXPECT_TRUE(given(link).empty());
  EXPECT_EQ(keys()["change"]["status"], "pending");
  EXPECT_EQ(keys()["change"]["error_code"], wire::KEYS_NOT_NOW);
  report.mutable_app_report()->set_wait(wire::WAIT_NOTHING);
  link.send(control(report));
  EXPECT_EQ(given(link).size(), 1U);
  link.send(control(report));
  EXPECT_TRUE(given(link).empty());
}

TEST_F(DeviceKeysTest, AnAnswerToAnotherChangeIsNoAnswer) {
  const auto wanted = change();
  ASSERT_EQ(order(bytes_of(wanted)).status, 202);
  Link link(services_);
  link.hello();
  link.send(says(0, text(change(4).hash()), wire::KEYS_IN_USE));
  EXPECT_EQ(keys()["change"]["status"], "pending");
  ASSERT_EQ(order("").status, 202);
  EXPECT_EQ(keys()["change"], nullptr);
}

TEST_F(DeviceKeysTest, RefusesWhatNoDeviceWouldTake) {
  const auto refusal = [&](const std::string& bytes) {
    const HttpReply answer = order(bytes);
    EXPECT_EQ(answer.status, 400);
    return answer.body;
  };
  EXPECT_NE(refusal("noise").find("the key change is damaged"), std::string::npos);
  bundle::KeyChange other = change().change();
  EXPECT_NE(refusal(bytes_of(*bundle::SignedKeyChange::make(other))).find("needs 1 signatures and has 0"),
            std::string::npos);
  other.device_id.back() = '7';
  EXPECT_NE(refusal(bytes_of(*bundle::SignedKeyChange::make(other))).find("is for device UV"), std::string::npos);
  other.device_id.clear();
  other.ca_hash.assign(32, 1);
  EXPECT_NE(refusal(bytes_of(*bundle::SignedKeyChange::make(other))).find("another cloud's CA"), std::string::npos);
  Link link(services_);
  link.hello();
  link.send(says(9));
  EXPECT_NE(refusal(bytes_of(change(8))).find("the device has carried out 9 already"), std::string::npos);
  EXPECT_EQ(reply("POST", std::string("/v1/Devices/") + ApiFixture::kDevice + "/Keys", "Chance=1").status, 400);
}

}  // namespace
}  // namespace mv::cloud
