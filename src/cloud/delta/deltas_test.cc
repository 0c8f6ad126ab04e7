#include "cloud/delta/deltas.h"

#include <gtest/gtest.h>

#include "cloud/delta/test_bundle.h"
#include "cloud/temporary_folder.h"

namespace mv::cloud {
namespace {

class DeltasTest : public ::testing::Test {
 protected:
  // Jobs wait here until the test runs them.
  Deltas deltas(std::uint64_t limit = 1'000'000) {
    return Deltas(*DeltaCache::open(folder_.path() / "deltas", limit), blobs_, metrics_,
                  [this](std::function<void()> job, std::function<void()> done) {
                    jobs_.push_back([job = std::move(job), done = std::move(done)] { job(), done(); });
                  });
  }

  void run_one() {
    ASSERT_FALSE(jobs_.empty());
    const auto job = std::move(jobs_.front());
    jobs_.pop_front();
    job();
  }

  std::int64_t made() const { return metrics_.value("mvcloud_deltas_made_total"); }
  std::int64_t hits() const { return metrics_.value("mvcloud_delta_cache_hits_total"); }

  TemporaryFolder folder_;
  BlobStore blobs_ = *BlobStore::open(folder_.path() / "blobs");
  Metrics metrics_;
  std::deque<std::function<void()>> jobs_;
  const std::string old_ = put_bundle(blobs_, {noise(1000, 1)}).manifest.hash;
  const std::string next_ = put_bundle(blobs_, {noise(1000, 1) + "!"}).manifest.hash;
  const DeltaPair pair_{old_, next_};
};

TEST_F(DeltasTest, ThoseWhoAskForTheSameWaitForTheSameWork) {
  Deltas deltas = this->deltas();
  int told = 0;
  const auto first = deltas.get(pair_, [&](const Deltas::Records& records) { told += records ? 1 : 0; });
  const auto second = deltas.get(pair_, [&](const Deltas::Records& records) { told += records ? 10 : 0; });
  EXPECT_EQ(deltas.in_memory(pair_), nullptr);
  run_one();
  EXPECT_EQ(told, 11);
  EXPECT_TRUE(jobs_.empty());
  EXPECT_EQ(made(), 1);
  EXPECT_NE(deltas.in_memory(pair_), nullptr);
}

TEST_F(DeltasTest, WhatWasMadeIsAtHandAtOnceAndOnDiskAfterARestart) {
  Deltas before = deltas();
  const auto first = before.get(pair_, [](const Deltas::Records&) {});
  run_one();
  std::string again;
  const auto second = before.get(pair_, [&](const Deltas::Records& records) { again = records->bytes(); });
  EXPECT_FALSE(again.empty());
  Deltas after = deltas();
  std::string restarted;
  const auto third = after.get(pair_, [&](const Deltas::Records& records) { restarted = records->bytes(); });
  run_one();
  EXPECT_EQ(restarted, again);
  EXPECT_EQ(made(), 1);
  EXPECT_EQ(hits(), 2);
}

TEST_F(DeltasTest, OneIsMadeAtATimeAndNoneThatNobodyWaitsFor) {
  Deltas deltas = this->deltas();
  int told = 0;
  const auto count = [&](const Deltas::Records&) { ++told; };
  const auto first = deltas.get(pair_, count);
  auto second = deltas.get({"", next_}, count);
  const auto third = deltas.get({next_, old_}, count);
  EXPECT_EQ(jobs_.size(), 1u);
  second.reset();
  run_one();
  run_one();
  EXPECT_TRUE(jobs_.empty());
  EXPECT_EQ(told, 2);
  EXPECT_EQ(made(), 2);
}

TEST_F(DeltasTest, WhoLetGoIsNotTold) {
  Deltas deltas = this->deltas();
  auto waiting = deltas.get(pair_, [](const Deltas::Records&) { FAIL() << "nobody waits"; });
  waiting.reset();
  run_one();
}

TEST_F(DeltasTest, WhatCannotBeMadeIsNullAndIsTriedAgain) {
  Deltas deltas = this->deltas();
  blobs_.remove(next_);
  int nothing = 0;
  const auto count = [&](const Deltas::Records& records) { nothing += records ? 0 : 1; };
  const auto first = deltas.get(pair_, count);
  run_one();
  const auto second = deltas.get(pair_, count);
  run_one();
  EXPECT_EQ(nothing, 2);
  EXPECT_EQ(made(), 0);
  EXPECT_EQ(hits(), 0);
}

TEST_F(DeltasTest, NothingOfADeletedBundleIsKept) {
  Deltas deltas = this->deltas();
  const auto first = deltas.get(pair_, [](const Deltas::Records&) {});
  run_one();
  deltas.forget(old_);
  run_one();
  EXPECT_EQ(deltas.in_memory(pair_), nullptr);
  EXPECT_EQ(DeltaCache::open(folder_.path() / "deltas", 1'000'000)->size(), 0u);
}

}  // namespace
}  // namespace mv::cloud
