#include "cloud/store/sqlite_store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>

#include "cloud/access.h"
#include "cloud/files.h"
#include "cloud/store/schema.h"
#include "cloud/temporary_folder.h"

namespace mv::cloud {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAccount = "AC00000000000000000000000000000001";
constexpr std::size_t kKeepAll = 1000;

Device make_device(std::string sid, std::string name) {
  Device device;
  device.sid = std::move(sid);
  device.account_sid = kAccount;
  device.unique_name = std::move(name);
  device.facts.board = "stm32u585";
  return device;
}

App make_app(const std::string& sid, const std::string& manifest) {
  App app;
  app.sid = sid;
  app.account_sid = kAccount;
  app.manifest = {sha256(manifest), manifest.size()};
  app.bundle = {sha256("zip of " + manifest), 100};
  app.name = "counter";
  return app;
}

LogRecord make_log(std::uint64_t boot, std::uint64_t sequence, Microseconds time = 0) {
  LogRecord record;
  record.boot_id = boot;
  record.sequence = sequence;
  record.time = time;
  record.text = "record " + std::to_string(sequence);
  return record;
}

std::vector<std::uint64_t> sequences(Store& store, const std::string& device, std::int64_t after = 0,
                                     Microseconds since = 0) {
  const auto records = store.logs(device, after, since, kKeepAll);
  std::vector<std::uint64_t> found;
  if (records) {
    for (const LogRecord& record : *records) found.push_back(record.sequence);
  }
  return found;
}

template <typename T>
StoreError::Kind kind_of(const Stored<T>& result) {
  return result ? StoreError::Kind{-1} : result.error().kind;
}

class SqliteStoreTest : public ::testing::Test {
 protected:
  static std::unique_ptr<Store> open(const fs::path& path) {
    auto store = open_sqlite_store(path.string());
    EXPECT_TRUE(store) << (store ? "" : store.error().sentence);
    return store ? std::move(*store) : nullptr;
  }

  // The files as a process that is killed now leaves them: what is committed is in them, nothing was tidied up.
  fs::path copy_as_killed() const {
    const fs::path copy = folder_.path() / "killed.db";
    fs::copy_file(path_, copy);
    fs::copy_file(path_.string() + "-wal", copy.string() + "-wal");
    return copy;
  }

  // Sends SQL behind the store's back.
  void meddle(const char* sql) const {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(database);
  }

  TemporaryFolder folder_;
  fs::path path_ = folder_.path() / "store.db";
  std::unique_ptr<Store> store_ = open(path_);
};

TEST_F(SqliteStoreTest, WhatWasStoredIsThereAfterAnAbruptEnd) {
  ASSERT_TRUE(store_->add_device(make_device("UV1", "porch")));
  ASSERT_TRUE(store_->append_logs("UV1", {make_log(1, 1)}, kKeepAll));
  const auto copy = open(copy_as_killed());
  ASSERT_TRUE(copy->find_device(kAccount, "porch"));
  EXPECT_EQ(sequences(*copy, "UV1"), std::vector<std::uint64_t>{1});
}

TEST_F(SqliteStoreTest, AWriteThatWasCutOffTakesNothingElseWithIt) {
  ASSERT_TRUE(store_->add_device(make_device("UV1", "porch")));
  ASSERT_TRUE(store_->add_device(make_device("UV2", "attic")));
  const fs::path copy = copy_as_killed();
  const fs::path wal = copy.string() + "-wal";
  fs::resize_file(wal, fs::file_size(wal) - 1);
  const auto store = open(copy);
  EXPECT_TRUE(store->device("UV1"));
  EXPECT_EQ(kind_of(store->device("UV2")), StoreError::Kind::kNotFound);
  EXPECT_TRUE(store->add_device(make_device("UV2", "attic")));
}

TEST_F(SqliteStoreTest, ADatabaseOfANewerVersionIsLeftAlone) {
  meddle("PRAGMA user_version = 99");
  const auto again = open_sqlite_store(path_.string());
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().sentence.find("newer mvcloud (schema 99)"), std::string::npos);
}

TEST_F(SqliteStoreTest, AFileThatIsNoDatabaseIsRefused) {
  std::ofstream(folder_.path() / "text.db")
      << "this is some text, and not a database at all; " << std::string(200, 'x');
  EXPECT_FALSE(open_sqlite_store((folder_.path() / "text.db").string()));
}

TEST_F(SqliteStoreTest, ListsArePagedNewestFirstInBothDirections) {
  for (const char* name : {"1", "2", "3", "4", "5"}) {
    ASSERT_TRUE(store_->add_device(make_device(std::string("UV") + name, name)));
  }
  const auto names = [](const Page<Device>& page) {
    std::string text;
    for (const Device& device : page.items) text += device.unique_name;
    return text;
  };
  const auto first = store_->devices(kAccount, {2, {}, {}});
  ASSERT_TRUE(first);
  EXPECT_EQ(names(*first), "54");
  EXPECT_TRUE(first->more_older);
  EXPECT_FALSE(first->more_newer);
  const auto second = store_->devices(kAccount, {2, first->last_order, {}});
  EXPECT_EQ(names(*second), "32");
  EXPECT_TRUE(second->more_older && second->more_newer);
  const auto last = store_->devices(kAccount, {2, second->last_order, {}});
  EXPECT_EQ(names(*last), "1");
  EXPECT_FALSE(last->more_older);
  const auto back = store_->devices(kAccount, {2, {}, last->first_order});
  EXPECT_EQ(names(*back), "32");
  EXPECT_TRUE(back->more_older && back->more_newer);
  const auto newest = store_->devices(kAccount, {2, {}, back->first_order});
  EXPECT_EQ(names(*newest), "54");
  EXPECT_FALSE(newest->more_newer);
  EXPECT_EQ(names(*store_->devices("AC-another", {2, {}, {}})), "");
}

TEST_F(SqliteStoreTest, ATokenIsKnownByItsHashOnly) {
  const NewToken made = make_token(kAccount, "laptop", 1, std::nullopt);
  ASSERT_TRUE(store_->add_token(made.token));
  EXPECT_EQ(*authenticate(*store_, "Bearer " + made.secret, 2), kAccount);
  EXPECT_EQ(*authenticate(*store_, "Basic " + to_base64(kAccount + (":" + made.secret)), 2), kAccount);
  const std::string random_part = made.secret.substr(made.secret.find('_') + 1);
  for (const auto& file : fs::directory_iterator(folder_.path())) {
    const auto content = read_file(file.path(), 1U << 24);
    ASSERT_TRUE(content);
    EXPECT_EQ(content->find(random_part), std::string::npos) << file.path();
    EXPECT_EQ(content->find(*from_hex(random_part)), std::string::npos) << file.path();
  }
}

TEST_F(SqliteStoreTest, AWrongExpiredOrRemovedTokenOpensNothing) {
  const NewToken made = make_token(kAccount, "laptop", 1, 100);
  ASSERT_TRUE(store_->add_token(made.token));
  std::string wrong = made.secret;
  wrong.back() = wrong.back() == '0' ? '1' : '0';
  EXPECT_FALSE(authenticate(*store_, "Bearer " + wrong, 2));
  EXPECT_FALSE(authenticate(*store_, "Basic " + to_base64("AC-another:" + made.secret), 2));
  EXPECT_FALSE(authenticate(*store_, made.secret, 2));
  EXPECT_TRUE(authenticate(*store_, "Bearer " + made.secret, 99));
  const auto late = authenticate(*store_, "Bearer " + made.secret, 100);
  ASSERT_FALSE(late);
  EXPECT_NE(late.error().find("expired"), std::string::npos);
  EXPECT_EQ(kind_of(store_->remove_token("AC-another", made.token.sid)), StoreError::Kind::kNotFound);
  ASSERT_TRUE(store_->remove_token(kAccount, made.token.sid));
  EXPECT_FALSE(authenticate(*store_, "Bearer " + made.secret, 2));
}

TEST_F(SqliteStoreTest, LogRecordsThatComeTwiceAreStoredOnce) {
  EXPECT_EQ(*store_->append_logs("UV1", {make_log(7, 1), make_log(7, 2)}, kKeepAll), 2u);
  EXPECT_EQ(*store_->append_logs("UV1", {make_log(7, 2), make_log(7, 3)}, kKeepAll), 1u);
  EXPECT_EQ(*store_->append_logs("UV1", {make_log(8, 1)}, kKeepAll), 1u) << "another boot counts anew";
  EXPECT_EQ(*store_->append_logs("UV2", {make_log(7, 1)}, kKeepAll), 1u) << "another device";
  EXPECT_EQ(sequences(*store_, "UV1"), (std::vector<std::uint64_t>{1, 2, 3, 1}));
}

TEST_F(SqliteStoreTest, TheOldestLogRecordsOfADeviceMakeRoom) {
  ASSERT_TRUE(store_->append_logs("UV2", {make_log(1, 1)}, 3));
  for (std::uint64_t sequence = 1; sequence <= 5; ++sequence) {
    ASSERT_TRUE(store_->append_logs("UV1", {make_log(1, sequence)}, 3));
  }
  EXPECT_EQ(sequences(*store_, "UV1"), (std::vector<std::uint64_t>{3, 4, 5}));
  EXPECT_EQ(sequences(*store_, "UV2"), (std::vector<std::uint64_t>{1})) << "another device's stay";
}

TEST_F(SqliteStoreTest, LogsAreReadFromAnIdAndFromATime) {
  ASSERT_TRUE(store_->append_logs("UV1", {make_log(1, 1, 10), make_log(1, 2, 20), make_log(1, 3, 30)}, kKeepAll));
  const auto all = store_->logs("UV1", 0, 0, kKeepAll);
  ASSERT_TRUE(all);
  EXPECT_EQ(sequences(*store_, "UV1", (*all)[0].id), (std::vector<std::uint64_t>{2, 3}));
  EXPECT_EQ(sequences(*store_, "UV1", 0, 20), (std::vector<std::uint64_t>{2, 3}));
  EXPECT_EQ(store_->logs("UV1", 0, 0, 2)->size(), 2u);
}

TEST_F(SqliteStoreTest, ACrashThatComesTwiceIsOne) {
  EXPECT_TRUE(*store_->add_crash("UV1", {4, 1, "record"}, kKeepAll));
  EXPECT_FALSE(*store_->add_crash("UV1", {4, 2, "record"}, kKeepAll));
  EXPECT_TRUE(*store_->add_crash("UV1", {4, 3, "another record of the same number"}, kKeepAll));
  EXPECT_EQ(store_->crashes("UV1", {})->items.size(), 2u);
}

TEST_F(SqliteStoreTest, TheOldestCrashesOfADeviceMakeRoom) {
  ASSERT_TRUE(store_->add_crash("UV2", {1, 1, "another device's"}, 3));
  for (std::uint32_t number = 1; number <= 5; ++number) {
    ASSERT_TRUE(store_->add_crash("UV1", {number, 1, "record " + std::to_string(number)}, 3));
  }
  const auto kept = store_->crashes("UV1", {})->items;
  ASSERT_EQ(kept.size(), 3u);
  EXPECT_EQ(kept.front().number, 5u);
  EXPECT_EQ(kept.back().number, 3u);
  EXPECT_EQ(store_->crashes("UV2", {})->items.size(), 1u) << "another device's stay";
}

TEST_F(SqliteStoreTest, ACrashIsFoundByItsIdOnItsDeviceOnly) {
  ASSERT_TRUE(store_->add_crash("UV1", {4, 7, "record"}, kKeepAll));
  const auto id = store_->crashes("UV1", {})->items.front().id;
  const auto crash = store_->crash("UV1", id);
  ASSERT_TRUE(crash) << crash.error().sentence;
  EXPECT_EQ(crash->record, "record");
  EXPECT_EQ(crash->received, 7);
  EXPECT_EQ(kind_of(store_->crash("UV2", id)), StoreError::Kind::kNotFound);
  EXPECT_EQ(kind_of(store_->crash("UV1", id + 1)), StoreError::Kind::kNotFound);
}

TEST_F(SqliteStoreTest, OldEventsMakeRoom) {
  Event event;
  event.device_sid = "UV1";
  event.kind = "app";
  event.data = "{}";
  for (int i = 0; i < 128; ++i) ASSERT_TRUE(store_->add_event(kAccount, event, 10));
  EXPECT_EQ(store_->events(kAccount, "", 0, 0, kKeepAll)->size(), 10u);
  EXPECT_EQ(store_->events(kAccount, "UV2", 0, 0, kKeepAll)->size(), 0u);
  EXPECT_EQ(store_->events("AC-another", "", 0, 0, kKeepAll)->size(), 0u);
}

TEST_F(SqliteStoreTest, ADeviceIsFoundByIdByNameAndByABeginningThatFitsOneOnly) {
  ASSERT_TRUE(store_->add_device(make_device("UV1a", "porch")));
  ASSERT_TRUE(store_->add_device(make_device("UV1b", "portal")));
  ASSERT_TRUE(store_->add_device(make_device("UV2", "por")));
  for (const char* key : {"UV1a", "porch", "porc"}) EXPECT_EQ(store_->find_device(kAccount, key)->sid, "UV1a") << key;
  EXPECT_EQ(store_->find_device(kAccount, "por")->sid, "UV2") << "a whole name comes before beginnings";
  EXPECT_EQ(kind_of(store_->find_device(kAccount, "UV1")), StoreError::Kind::kConflict);
  EXPECT_EQ(kind_of(store_->find_device(kAccount, "UV9")), StoreError::Kind::kNotFound);
  EXPECT_EQ(kind_of(store_->find_device(kAccount, "")), StoreError::Kind::kNotFound);
  EXPECT_EQ(kind_of(store_->find_device(kAccount, "%")), StoreError::Kind::kNotFound);
  EXPECT_EQ(kind_of(store_->find_device("AC-another", "porch")), StoreError::Kind::kNotFound);
}

TEST_F(SqliteStoreTest, ARemovedDeviceTakesItsLogsAndCrashesWithItAndLeavesItsEvents) {
  for (const char* sid : {"UV1", "UV2"}) {
    ASSERT_TRUE(store_->add_device(make_device(sid, sid)));
    ASSERT_TRUE(store_->append_logs(sid, {make_log(1, 1)}, kKeepAll));
    ASSERT_TRUE(store_->add_crash(sid, {4, 1, "record"}, kKeepAll));
  }
  Event event;
  event.device_sid = "UV1";
  event.data = "{}";
  ASSERT_TRUE(store_->add_event(kAccount, event, kKeepAll));
  EXPECT_EQ(kind_of(store_->remove_device("AC-another", "UV1")), StoreError::Kind::kNotFound);
  ASSERT_TRUE(store_->remove_device(kAccount, "UV1"));
  EXPECT_EQ(kind_of(store_->device("UV1")), StoreError::Kind::kNotFound);
  EXPECT_EQ(sequences(*store_, "UV1").size() + store_->crashes("UV1", {})->items.size(), 0u);
  EXPECT_EQ(sequences(*store_, "UV2").size() + store_->crashes("UV2", {})->items.size(), 2u);
  EXPECT_EQ(store_->events(kAccount, "UV1", 0, 0, kKeepAll)->size(), 1u);
  EXPECT_EQ(kind_of(store_->remove_device(kAccount, "UV1")), StoreError::Kind::kNotFound);
}

TEST_F(SqliteStoreTest, ADatabaseOfTheFirstVersionIsBroughtUpToDateWithWhatItHolds) {
  const fs::path path = folder_.path() / "old.db";
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, kSchema, nullptr, nullptr, nullptr), SQLITE_OK);
  ASSERT_EQ(
      sqlite3_exec(database,
                   "INSERT INTO device (sid, account_sid, generation, force, restart_generation, logging_enabled, "
                   "created, updated) VALUES ('UV1', 'AC1', 3, 0, 0, 1, 5, 6)",
                   nullptr, nullptr, nullptr),
      SQLITE_OK);
  sqlite3_close(database);
  for (int start = 0; start < 2; ++start) {  // the second finds nothing to do
    const auto store = open(path);
    ASSERT_TRUE(store);
    const auto device = store->device("UV1");
    ASSERT_TRUE(device) << device.error().sentence;
    EXPECT_EQ(device->desired.generation, 3u);
    EXPECT_EQ(device->updated, 6);
    EXPECT_EQ(device->facts.boot_detail, "");
    EXPECT_TRUE(device->desired.logging_enabled);
    EXPECT_GT(device->desired.logging_expires, wall_clock()) << "logging of before goes on for a day";
  }
}

TEST_F(SqliteStoreTest, AUniqueNameIsTakenOnceAndNoNameManyTimes) {
  ASSERT_TRUE(store_->add_device(make_device("UV1", "porch")));
  EXPECT_EQ(kind_of(store_->add_device(make_device("UV2", "porch"))), StoreError::Kind::kConflict);
  EXPECT_TRUE(store_->add_device(make_device("UV3", "")));
  EXPECT_TRUE(store_->add_device(make_device("UV4", "")));
  EXPECT_EQ(kind_of(store_->update_device(make_device("UV4", "porch"), 1)), StoreError::Kind::kConflict);
}

TEST_F(SqliteStoreTest, TheEndOfAnOlderConnectionChangesNothing) {
  ASSERT_TRUE(store_->add_device(make_device("UV1", "porch")));
  const auto older = store_->begin_connection("UV1", {}, 10);
  const auto newer = store_->begin_connection("UV1", {}, 20);
  ASSERT_TRUE(older && newer);
  EXPECT_GT(*newer, *older);
  ASSERT_TRUE(store_->end_connection("UV1", *older, 30));
  EXPECT_EQ(store_->device("UV1")->connection_changed, 20);
  ASSERT_TRUE(store_->end_connection("UV1", *newer, 40));
  EXPECT_EQ(store_->device("UV1")->connection_changed, 40);
  EXPECT_EQ(kind_of(store_->begin_connection("UV9", {}, 1)), StoreError::Kind::kNotFound);
}

TEST_F(SqliteStoreTest, AnAppStaysWhileADeviceTargetsIt) {
  const Blob layer{sha256("layer"), 5};
  ASSERT_TRUE(store_->add_app(make_app("KA1", "one"), {layer}));
  Device device = make_device("UV1", "porch");
  ASSERT_TRUE(store_->add_device(device));
  device.desired.app_sid = "KA1";
  ASSERT_TRUE(store_->update_device(device, 1));
  EXPECT_EQ(kind_of(store_->remove_app(kAccount, "KA1")), StoreError::Kind::kConflict);
  EXPECT_TRUE(store_->app(kAccount, "KA1"));
  device.desired.app_sid.clear();
  ASSERT_TRUE(store_->update_device(device, 2));
  EXPECT_EQ(store_->remove_app(kAccount, "KA1")->size(), 3u) << "manifest, bundle, layer";
}

TEST_F(SqliteStoreTest, BlobsThatAnotherAppHoldsOutliveAnApp) {
  const Blob shared{sha256("shared"), 6};
  const Blob own{sha256("own"), 3};
  ASSERT_TRUE(store_->add_app(make_app("KA1", "one"), {shared, own}));
  ASSERT_TRUE(store_->add_app(make_app("KA2", "two"), {shared}));
  const auto orphans = store_->remove_app(kAccount, "KA1");
  ASSERT_TRUE(orphans);
  EXPECT_EQ(std::count(orphans->begin(), orphans->end(), own.hash), 1);
  EXPECT_EQ(std::count(orphans->begin(), orphans->end(), shared.hash), 0);
  EXPECT_TRUE(*store_->blob_is_used(shared.hash));
  EXPECT_FALSE(*store_->blob_is_used(own.hash));
}

TEST_F(SqliteStoreTest, DevicesSeeManifestAndLayersOfAnAppButNotItsZip) {
  const App app = make_app("KA1", "one");
  const Blob layer{sha256("layer"), 5};
  ASSERT_TRUE(store_->add_app(app, {layer}));
  EXPECT_EQ(store_->app_blob("KA1", app.manifest.hash)->size, app.manifest.size);
  EXPECT_EQ(store_->app_blob("KA1", layer.hash)->size, layer.size);
  EXPECT_EQ(kind_of(store_->app_blob("KA1", app.bundle.hash)), StoreError::Kind::kNotFound);
  EXPECT_EQ(kind_of(store_->app_blob("KA2", layer.hash)), StoreError::Kind::kNotFound);
}

Microvisor make_microvisor(const std::string& sid, const std::string& hash) {
  return {sid, kAccount, {hash, 1000}, 0x00020000, "mps2-an505", 1};
}

TEST_F(SqliteStoreTest, MicrovisorImagesAreFoundBySidAndHash) {
  ASSERT_TRUE(store_->add_microvisor(make_microvisor("MV1", std::string(32, 'h'))));
  EXPECT_EQ(kind_of(store_->add_microvisor(make_microvisor("MV2", std::string(32, 'h')))), StoreError::Kind::kConflict);
  EXPECT_EQ(store_->microvisor(kAccount, "MV1")->version, 0x00020000u);
  EXPECT_EQ(store_->microvisor(kAccount, std::string(32, 'h'))->sid, "MV1");
  EXPECT_EQ(kind_of(store_->microvisor("AC2", "MV1")), StoreError::Kind::kNotFound);
  EXPECT_TRUE(*store_->blob_is_used(std::string(32, 'h')));
  EXPECT_EQ(store_->microvisors(kAccount, {})->items.size(), 1u);
}

TEST_F(SqliteStoreTest, AMicrovisorThatADeviceIsToRunStays) {
  ASSERT_TRUE(store_->add_device(make_device("UV1", "porch")));
  ASSERT_TRUE(store_->add_microvisor(make_microvisor("MV1", std::string(32, 'h'))));
  ASSERT_TRUE(store_->order_microvisor("UV1", {.target_sid = "MV1", .order = 1}));
  EXPECT_EQ(kind_of(store_->remove_microvisor(kAccount, "MV1")), StoreError::Kind::kConflict);
  ASSERT_TRUE(store_->order_microvisor("UV1", {.order = 2}));
  ASSERT_TRUE(store_->remove_microvisor(kAccount, "MV1"));
  EXPECT_EQ(kind_of(store_->remove_microvisor(kAccount, "MV1")), StoreError::Kind::kNotFound);
}

TEST_F(SqliteStoreTest, OrderAndReportOfAMicrovisorLeaveEachOtherAlone) {
  ASSERT_TRUE(store_->add_device(make_device("UV1", "porch")));
  ASSERT_TRUE(store_->add_microvisor(make_microvisor("MV1", std::string(32, 'h'))));
  EXPECT_EQ(store_->device_microvisor("UV1")->order, 0u);
  ASSERT_TRUE(store_->order_microvisor("UV1", {.target_sid = "MV1", .order = 3, .trial_sec = 60}));
  DeviceMicrovisor report;
  report.state = 2;
  report.seen_order = 3;
  report.detail = "so it goes";
  ASSERT_TRUE(store_->update_microvisor_report("UV1", report));
  ASSERT_TRUE(store_->order_microvisor("UV1", {.target_sid = "MV1", .order = 4, .force = true}));
  const auto found = store_->device_microvisor("UV1");
  EXPECT_EQ(found->order, 4u);
  EXPECT_TRUE(found->force);
  EXPECT_EQ(found->seen_order, 3u);
  EXPECT_EQ(found->detail, "so it goes");
  ASSERT_TRUE(store_->remove_device(kAccount, "UV1"));
  EXPECT_EQ(store_->device_microvisor("UV1")->order, 0u);
}

}  // namespace
}  // namespace mv::cloud
