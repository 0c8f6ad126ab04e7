// Records of updates for whoever asks: made once for a pair of bundles, on a worker thread, and kept.
//
// One set is loaded or made at a time, so that uploads always find a worker; those who ask for the same pair wait for
// the same work. Used from the thread that serves.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "cloud/blob_store.h"
#include "cloud/delta/cache.h"
#include "cloud/delta/records.h"
#include "cloud/metrics.h"
#include "cloud/store/store.h"

namespace mv::cloud {

// From the bundle that a device names as its own to another; nothing helps if the account does not have the former.
DeltaPair delta_pair(Store& store, std::string_view account, std::string_view from, std::string_view to);

class Deltas {
 public:
  using Records = std::shared_ptr<const DeltaRecords>;
  using Ready = std::function<void(Records)>;
  // Whoever waits holds on to it; letting go of it means not to be told.
  using Waiting = std::shared_ptr<Ready>;
  // As Services::run_aside.
  using RunAside = std::function<void(std::function<void()> job, std::function<void()> done)>;

  static constexpr std::uint64_t kBytesInMemory = 32U << 20;  // of sets that nobody uses at the moment

  // `metrics` must outlive it, and it must outlive what `run_aside` runs.
  Deltas(DeltaCache cache, BlobStore blobs, Metrics& metrics, RunAside run_aside)
      : cache_(std::move(cache)), blobs_(std::move(blobs)), metrics_(metrics), run_aside_(std::move(run_aside)) {}

  // Calls `ready` once, now or later: with the records, or with null if they cannot be made (the log says why).
  [[nodiscard]] Waiting get(const DeltaPair& pair, Ready ready);
  // The same for who waits in any case.
  void fetch(const DeltaPair& pair, Ready ready);

  // The records if they are in memory, else null. Looks at no disk and makes nothing.
  Records in_memory(const DeltaPair& pair) const;

  // The bundle was deleted: nothing made of it is kept.
  void forget(std::string_view manifest_hash);

 private:
  struct Job;
  struct Waiter {
    std::weak_ptr<Ready> ready;
    Waiting held;  // of `fetch`
  };

  Waiting wait(const DeltaPair& pair, Ready ready, bool held);
  Records use(const DeltaPair& pair);
  void keep(const DeltaPair& pair, Records records);
  void work();
  void conclude(Job& job);

  DeltaCache cache_;
  BlobStore blobs_;
  Metrics& metrics_;
  RunAside run_aside_;
  std::list<std::pair<DeltaPair, Records>> recent_;  // the most recently used first
  std::map<DeltaPair, std::vector<Waiter>> waiting_;
  std::deque<DeltaPair> queue_;
  bool working_ = false;
};

}  // namespace mv::cloud
