// What the API makes of a device's logging, on a clock that is moved by hand.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cloud/access.h"
#include "cloud/api/api.h"
#include "cloud/store/sqlite_store.h"
#include "cloud/temporary_folder.h"

namespace mv::cloud {
namespace {

constexpr const char* kAccount = "AC00000000000000000000000000000001";
constexpr const char* kDevice = "UV00000000000000000000000000000001";
constexpr Microseconds kHour = 3600LL * 1'000'000;

class DevicesApiTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Device device;
    device.sid = kDevice;
    device.account_sid = kAccount;
    device.desired.logging_enabled = false;
    ASSERT_TRUE(store_->add_device(device));
    ASSERT_TRUE(store_->add_token(token_.token));
  }

  nlohmann::json ask(const std::string& method, const std::string& body = "") {
    HttpRequest request;
    request.method = method;
    request.path = request.target = std::string("/v1/Devices/") + kDevice;
    request.headers = {{"authorization", "Bearer " + token_.secret},
                       {"content-type", "application/x-www-form-urlencoded"}};
    const auto exchange = api_.begin(std::move(request));
    exchange->take(body);
    const HttpReply reply = exchange->finish();
    EXPECT_LT(reply.status, 300) << reply.body;
    return nlohmann::json::parse(reply.body);
  }

  static nlohmann::json logging(bool enabled, const nlohmann::json& expires) {
    return {{"enabled", enabled}, {"date_expires", expires}};
  }

  TemporaryFolder folder_;
  std::unique_ptr<Store> store_ = std::move(*open_sqlite_store((folder_.path() / "store.db").string()));
  BlobStore blobs_ = *BlobStore::open(folder_.path() / "blobs");
  std::unique_ptr<Bus> bus_ = make_in_process_bus();
  LinkTable links_;
  Metrics metrics_;
  Microseconds now_ = 1'800'000'000LL * 1'000'000;  // 2027-01-15T08:00:00Z
  NewToken token_ = make_token(kAccount, "test", now_, std::nullopt);
  Services services_{
      Settings{{"localhost"}, "localhost"}, *store_, blobs_, *bus_, links_, metrics_, {}, [this] { return now_; }};
  Api api_{services_};
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
}

TEST_F(DevicesApiTest, LoggingThatEndedIsSwitchedOnAnew) {
  const auto first = ask("POST", "LoggingEnabled=true");
  now_ += 25 * kHour;
  const auto second = ask("POST", "LoggingEnabled=true");
  EXPECT_EQ(second["logging"]["date_expires"], to_rfc3339(now_ + 24 * kHour));
  EXPECT_GT(second["generation"], first["generation"]);
}

TEST_F(DevicesApiTest, LoggingThatIsSwitchedOffHasNoEnd) {
  ask("POST", "LoggingEnabled=true");
  EXPECT_EQ(ask("POST", "LoggingEnabled=false")["logging"], logging(false, nullptr));
}

}  // namespace
}  // namespace mv::cloud
