// What an update sends over the air, as the API tells it.
#include "cloud/delta/test_bundle.h"

#include "cloud/api/api_fixture.h"

namespace mv::cloud {
namespace {

class DeltaApiTest : public ApiFixture {
 protected:
  void SetUp() override {
    ApiFixture::SetUp();
    old_ = add("KA1", {first_, second_});
    next_ = add("KA2", {first_, second_ + "!"});
  }

  App add(const std::string& sid, const std::vector<std::string>& contents, const std::string& account = kAccount) {
    App app = put_bundle(blobs_, contents);
    app.sid = sid;
    app.account_sid = account;
    EXPECT_TRUE(store_->add_app(app, {}));
    return app;
  }

  nlohmann::json delta(const std::string& from) {
    const HttpReply answer = reply("GET", "/v1/Apps/KA2/Delta", "", {{"From", from}});
    EXPECT_EQ(answer.status, 200) << answer.body;
    return nlohmann::json::parse(answer.body);
  }

  const std::string first_ = noise(70'000, 1);
  const std::string second_ = noise(10'000, 2);
  App old_, next_;
};

TEST_F(DeltaApiTest, SaysOfEachLayerWhatIsSent) {
  const auto json = delta("KA1");
  const auto records = expected_records(first_ + second_, {first_, second_ + "!"});
  EXPECT_EQ(json["from_sid"], "KA1");
  EXPECT_EQ(json["content_size"], 80'001);
  EXPECT_EQ(json["bytes"], records[3].size());
  ASSERT_EQ(json["layers"].size(), 2u);
  EXPECT_EQ(json["layers"][0]["installed"], true);
  EXPECT_EQ(json["layers"][0]["bytes"], 0);
  EXPECT_EQ(json["layers"][0]["segments"].size(), 0u);
  EXPECT_EQ(json["layers"][1]["area"], "flash");
  EXPECT_EQ(json["layers"][1]["start"], 73'728);
  EXPECT_EQ(json["layers"][1]["segments"], nlohmann::json::parse(R"([{"size": 10001, "kind": "delta", "bytes": )" +
                                                                 std::to_string(records[3].size()) + "}]"));
}

TEST_F(DeltaApiTest, ADevicesHashIsTakenAndOneThatNobodyHasIsNothingToBeginFrom) {
  EXPECT_EQ(delta("sha256:" + to_hex(old_.manifest.hash)), delta("KA1"));
  const auto whole = delta("");
  EXPECT_EQ(whole["from_sid"], nullptr);
  EXPECT_EQ(whole["layers"][0]["segments"].size(), 3u);
  EXPECT_GT(whole["bytes"], 70'000);
  EXPECT_EQ(delta("sha256:" + std::string(64, '0')), whole);
  add("KA3", {first_}, "AC00000000000000000000000000000002");
  EXPECT_EQ(reply("GET", "/v1/Apps/KA2/Delta", "", {{"From", "KA3"}}).status, 404);
}

TEST_F(DeltaApiTest, WhatIsNotThereIsNotFound) {
  EXPECT_EQ(reply("GET", "/v1/Apps/KA9/Delta").status, 404);
  EXPECT_EQ(reply("GET", "/v1/Apps/KA2/Delta", "", {{"From", "weather"}}).status, 404);
  EXPECT_EQ(reply("GET", "/v1/Apps/KA2/Delta", "", {{"From", "sha256:12"}}).status, 404);
  blobs_.remove(sha256(first_));
  EXPECT_EQ(reply("GET", "/v1/Apps/KA2/Delta").status, 503);
}

TEST_F(DeltaApiTest, ADeletedAppTakesItsRecordsWithIt) {
  delta("KA1");
  EXPECT_EQ(reply("DELETE", "/v1/Apps/KA1").status, 204);
  EXPECT_EQ(DeltaCache::open(folder_.path() / "deltas", 1'000'000)->size(), 0u);
}

}  // namespace
}  // namespace mv::cloud
