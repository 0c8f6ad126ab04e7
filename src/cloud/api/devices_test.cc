// What the API makes of orders, of what devices report, and of their logging, on a clock that is moved by hand.
#include "cloud/api/api_fixture.h"

#include "cloud/delta/test_bundle.h"
#include "wire/proto/link.pb.h"

namespace mv::cloud {
namespace {

constexpr Microseconds kHour = 3600LL * 1'000'000;

// A device that counts how often it is told something new.
class CountingLink final : public DeviceLink {
 public:
  LinkStatus status() const override { return {}; }
  void desired_changed() override { ++told; }
  void key_change_ordered() override { ++told; }
  void device_removed() override {}
  void supersede() override {}
  bool open_debug(DebugClient&) override { return false; }
  std::size_t debug_send(std::string_view) override { return 0; }
  void debug_consumed(std::size_t) override {}
  void close_debug(frame::CloseReason, std::string_view) override {}

  int told = 0;
};

class DevicesApiTest : public ApiFixture {
 protected:
  void SetUp() override {
    ApiFixture::SetUp();
    links_.enter(kDevice, link_);
    old_ = add_app("KA1", first_);
    next_ = add_app("KA2", first_ + "!");
  }

  App add_app(const std::string& sid, const std::string& content) {
    App app = put_bundle(blobs_, {content});
    app.sid = sid;
    app.account_sid = kAccount;
    EXPECT_TRUE(store_->add_app(app, {}));
    return app;
  }

  // What the device says, of the order that it has.
  Report report(wire::AppState state, const App& running, const App& target) {
    Report report;
    report.state = state;
    report.running_hash = running.manifest.hash;
    report.target_hash = target.manifest.hash;
    report.generation = store_->device(kDevice)->desired.generation;
    report.reported = now_;
    return report;
  }

  nlohmann::json update_after(const Report& report) {
    EXPECT_TRUE(store_->update_report(kDevice, report));
    return ask("GET")["update"];
  }

  static nlohmann::json logging(bool enabled, const nlohmann::json& expires) {
    return {{"enabled", enabled}, {"date_expires", expires}};
  }

  const std::string first_ = noise(1000, 1);
  App old_, next_;
  CountingLink link_;
};

TEST_F(DevicesApiTest, LoggingIsOnForADayAndTheAnswerSaysUntilWhen) {
  EXPECT_EQ(ask("GET")["logging"], logging(false, nullptr));
  const auto on = ask("POST", "LoggingEnabled=true");
  EXPECT_EQ(on["logging"]["enabled"], true);
  EXPECT_EQ(on["logging"]["date_expires"], to_rfc3339(now_ + 24 * kHour));
  now_ += 24 * kHour - 1;
  EXPECT_EQ(ask("GET")["logging"], on["logging"]);
  now_ += 1;
  EXPECT_EQ(ask("GET")["logging"], logging(false, nullptr));
}

TEST_F(DevicesApiTest, LoggingThatIsOnIsExtendedAndTheDeviceNeedNotHearOfIt) {
  const auto first = ask("POST", "LoggingEnabled=true");
  now_ += 5 * kHour;
  const auto second = ask("POST", "LoggingEnabled=true");
  EXPECT_EQ(second["logging"]["date_expires"], to_rfc3339(now_ + 24 * kHour));
  EXPECT_EQ(second["generation"], first["generation"]);
  EXPECT_EQ(link_.told, 1);
}

TEST_F(DevicesApiTest, LoggingThatEndedIsSwitchedOnAnew) {
  const auto first = ask("POST", "LoggingEnabled=true");
  now_ += 25 * kHour;
  const auto second = ask("POST", "LoggingEnabled=true");
  EXPECT_EQ(second["logging"]["date_expires"], to_rfc3339(now_ + 24 * kHour));
  EXPECT_EQ(link_.told, 2);
  EXPECT_EQ(second["generation"], first["generation"]) << "no order: what was refused stays refused";
}

TEST_F(DevicesApiTest, LoggingThatIsSwitchedOffHasNoEnd) {
  ask("POST", "LoggingEnabled=true");
  EXPECT_EQ(ask("POST", "LoggingEnabled=false")["logging"], logging(false, nullptr));
}

TEST_F(DevicesApiTest, EachTargetIsAnOrderAlsoTheSameOnceMore) {
  const auto first = ask("POST", "TargetApp=KA2");
  const auto again = ask("POST", "TargetApp=KA2");
  EXPECT_GT(again["generation"], first["generation"]);
  EXPECT_EQ(link_.told, 2);
  const auto restarted = ask("POST", "RestartApp=true");
  EXPECT_EQ(restarted["generation"], again["generation"]) << "no order";
  EXPECT_EQ(link_.told, 3);
}

TEST_F(DevicesApiTest, ForceIsPartOfTheOrderAndEndsWithIt) {
  const auto order = ask("POST", "TargetApp=KA2");
  EXPECT_EQ(order["update"]["forced"], false);
  const auto forced = ask("POST", "Force=true");
  EXPECT_EQ(forced["update"]["forced"], true);
  EXPECT_GT(forced["generation"], order["generation"]);
  EXPECT_EQ(ask("POST", "TargetApp=KA2&Force=true")["update"]["forced"], true);
  const auto restarted = open_sqlite_store((folder_.path() / "store.db").string());
  EXPECT_TRUE((*restarted)->device(kDevice)->desired.force);
  EXPECT_EQ(ask("POST", "TargetApp=KA2")["update"]["forced"], false);
}

TEST_F(DevicesApiTest, AnUpdateIsPendingUntilTheDeviceSaysSomethingOfIt) {
  ask("POST", "TargetApp=KA2");
  auto running = report(wire::APP_RUNNING, old_, {});
  running.bytes_received = 70;  // of the update before
  const auto update = update_after(running);
  EXPECT_EQ(update["state"], "pending");
  EXPECT_EQ(update["bytes_received"], 0);
  EXPECT_EQ(update["waits_for"], nullptr);
  EXPECT_EQ(update["bytes_to_receive"], nullptr) << "nobody made the records yet";
  EXPECT_EQ(ask("GET")["app"]["update_status"], "pending");
}

TEST_F(DevicesApiTest, WhatIsStillToComeIsSaidOnceTheRecordsAreKnown) {
  ask("POST", "TargetApp=KA2");
  const auto bytes = nlohmann::json::parse(reply("GET", "/v1/Apps/KA2/Delta", "", {{"From", "KA1"}}).body)["bytes"];
  auto fetching = report(wire::APP_DOWNLOADING, old_, next_);
  fetching.bytes_done = 500;
  fetching.bytes_total = 1001;
  fetching.bytes_received = 20;
  const auto update = update_after(fetching);
  EXPECT_EQ(update["state"], "downloading");
  EXPECT_EQ(update["bytes_done"], 500);
  EXPECT_EQ(update["bytes_total"], 1001);
  EXPECT_EQ(update["bytes_received"], 20);
  EXPECT_EQ(update["bytes_to_receive"], bytes);
  EXPECT_LT(bytes, 100);
}

TEST_F(DevicesApiTest, ATrialIsNoSuccessAndItsTimeRuns) {
  ask("POST", "TargetApp=KA2");
  auto trial = report(wire::APP_RUNNING, next_, {});
  trial.wait = wire::WAIT_CONFIRMATION;
  trial.wait_left_sec = 30;
  EXPECT_EQ(update_after(trial)["wait_left_sec"], 30);
  now_ += 12'000'000;
  const auto device = ask("GET");
  EXPECT_EQ(device["update"]["state"], "trial");
  EXPECT_EQ(device["update"]["waits_for"], "confirmation");
  EXPECT_EQ(device["update"]["wait_left_sec"], 18);
  EXPECT_EQ(device["app"]["update_status"], "pending");
  EXPECT_EQ(update_after(report(wire::APP_RUNNING, next_, {}))["state"], "up-to-date");
  EXPECT_EQ(ask("GET")["app"]["update_status"], "up-to-date");
}

TEST_F(DevicesApiTest, ARollbackStandsUntilTheNextOrder) {
  ask("POST", "TargetApp=KA2");
  auto undone = report(wire::APP_REFUSED, old_, next_);
  undone.error = wire::UPDATE_ROLLED_BACK;
  undone.detail = "three crashes on trial";
  const auto update = update_after(undone);
  EXPECT_EQ(update["state"], "rolled-back");
  EXPECT_EQ(update["reason"], "three crashes on trial");
  EXPECT_EQ(update["error_code"], 11);
  EXPECT_EQ(ask("GET")["app"]["update_status"], "error");
  EXPECT_EQ(ask("POST", "LoggingEnabled=true")["update"]["state"], "rolled-back");
  EXPECT_EQ(ask("POST", "RestartApp=true")["update"]["state"], "rolled-back");
  const auto again = ask("POST", "TargetApp=KA2");
  EXPECT_EQ(again["update"]["state"], "pending");
  EXPECT_EQ(again["update"]["reason"], nullptr);
  EXPECT_EQ(again["update"]["observed_generation"], update["generation"]);
}

}  // namespace
}  // namespace mv::cloud
