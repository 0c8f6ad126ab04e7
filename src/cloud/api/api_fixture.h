// The API in memory, with one account, its token and a device, for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "cloud/access.h"
#include "cloud/api/api.h"
#include "cloud/delta/deltas.h"
#include "cloud/store/sqlite_store.h"
#include "cloud/temporary_folder.h"

namespace mv::cloud {

class ApiFixture : public ::testing::Test {
 protected:
  static constexpr const char* kAccount = "AC00000000000000000000000000000001";
  static constexpr const char* kDevice = "UV00000000000000000000000000000001";

  void SetUp() override {
    Device device;
    device.sid = kDevice;
    device.account_sid = kAccount;
    device.desired.logging_enabled = false;
    ASSERT_TRUE(store_->add_device(device));
    ASSERT_TRUE(store_->add_token(token_.token));
    services_.deltas = &deltas_;
  }

  HttpReply reply(const std::string& method, const std::string& path, const std::string& body = "",
                  const Fields& query = {}) {
    HttpRequest request;
    request.method = method;
    request.path = request.target = path;
    request.query = query;
    request.headers = {{"authorization", "Bearer " + token_.secret},
                       {"content-type", "application/x-www-form-urlencoded"}};
    const auto exchange = api_.begin(std::move(request));
    exchange->take(body);
    HttpReply reply = exchange->finish();
    if (const auto later = std::move(reply.later)) later([&](HttpReply known) { reply = std::move(known); });
    return reply;
  }

  nlohmann::json ask(const std::string& method, const std::string& body = "") {
    const HttpReply answer = reply(method, std::string("/v1/Devices/") + kDevice, body);
    EXPECT_LT(answer.status, 300) << answer.body;
    return nlohmann::json::parse(answer.body);
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
  Deltas deltas_{*DeltaCache::open(folder_.path() / "deltas", 1'000'000), blobs_, metrics_, services_.run_aside};
  Api api_{services_};
};

}  // namespace mv::cloud
