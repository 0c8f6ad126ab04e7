#include "cloud/delta/deltas.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "cloud/delta/maker.h"

namespace mv::cloud {

// One set being loaded or made. One thread has it at a time: ours, a worker's, ours again.
struct Deltas::Job {
  DeltaPair pair;
  DeltaCache cache;
  BlobStore blobs;

  Records records;  // null: they cannot be made
  bool made = false;
  Sentence trouble;  // with them, or with keeping them; empty: none
};

namespace {

// The worker's part.
template <typename Job>
void load_or_make(Job& job) {
  if (auto kept = job.cache.load(job.pair)) {
    job.records = std::make_shared<const DeltaRecords>(std::move(*kept));
    return;
  }
  auto made = make_records(job.blobs, job.pair);
  if (!made) {
    job.trouble = made.error();
    return;
  }
  job.made = true;
  if (const auto stored = job.cache.store(job.pair, *made); !stored) job.trouble = stored.error();
  job.records = std::make_shared<const DeltaRecords>(std::move(*made));
}

}  // namespace

DeltaPair delta_pair(Store& store, std::string_view account, std::string_view from, std::string_view to) {
  if (from.empty()) return {{}, std::string(to)};
  const auto old = store.app(account, from);
  return {old && old->manifest.hash == from ? std::string(from) : std::string(), std::string(to)};
}

Deltas::Waiting Deltas::get(const DeltaPair& pair, Ready ready) { return wait(pair, std::move(ready), false); }

void Deltas::fetch(const DeltaPair& pair, Ready ready) { wait(pair, std::move(ready), true); }

Deltas::Waiting Deltas::wait(const DeltaPair& pair, Ready ready, bool held) {
  auto waiting = std::make_shared<Ready>(std::move(ready));
  if (Records records = use(pair)) {
    metrics_.add("mvcloud_delta_cache_hits_total");
    (*waiting)(std::move(records));
    return waiting;
  }
  auto& those = waiting_[pair];
  if (those.empty()) queue_.push_back(pair);
  std::erase_if(those, [](const Waiter& one) { return one.ready.expired(); });
  those.push_back({waiting, held ? waiting : nullptr});
  work();
  return waiting;
}

Deltas::Records Deltas::in_memory(const DeltaPair& pair) const {
  const auto found = std::ranges::find(recent_, pair, [](const auto& entry) { return entry.first; });
  return found == recent_.end() ? nullptr : found->second;
}

Deltas::Records Deltas::use(const DeltaPair& pair) {
  const auto found = std::ranges::find(recent_, pair, [](const auto& entry) { return entry.first; });
  if (found == recent_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found);
  return found->second;
}

void Deltas::keep(const DeltaPair& pair, Records records) {
  recent_.emplace_front(pair, std::move(records));
  std::uint64_t size = 0;
  std::erase_if(recent_, [&](const auto& entry) {
    size += entry.second->bytes().size();
    return size > kBytesInMemory;
  });
}

void Deltas::forget(std::string_view manifest_hash) {
  std::erase_if(
      recent_, [&](const auto& entry) { return entry.first.from == manifest_hash || entry.first.to == manifest_hash; });
  run_aside_([cache = cache_, hash = std::string(manifest_hash)] { cache.forget(hash); }, [] {});
}

// Begins with the next pair that somebody still waits for.
void Deltas::work() {
  const auto is_gone = [](const Waiter& one) { return one.ready.expired(); };
  while (!working_ && !queue_.empty()) {
    const DeltaPair pair = std::move(queue_.front());
    queue_.pop_front();
    if (std::ranges::all_of(waiting_[pair], is_gone)) {
      waiting_.erase(pair);
      continue;
    }
    working_ = true;
    const auto job = std::make_shared<Job>(Job{pair, cache_, blobs_, nullptr, false, {}});
    run_aside_([job] { load_or_make(*job); }, [this, job] { conclude(*job); });
  }
}

void Deltas::conclude(Job& job) {
  working_ = false;
  if (!job.trouble.empty()) spdlog::error("records of an update to {}: {}", to_hex(job.pair.to), job.trouble);
  metrics_.add(job.made ? "mvcloud_deltas_made_total" : "mvcloud_delta_cache_hits_total", job.records ? 1 : 0);
  if (job.records) keep(job.pair, job.records);
  const auto those = std::move(waiting_.extract(job.pair).mapped());
  for (const auto& one : those) {
    if (const Waiting waiting = one.ready.lock()) (*waiting)(job.records);
  }
  work();
}

}  // namespace mv::cloud
