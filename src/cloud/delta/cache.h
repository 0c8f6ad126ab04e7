// Sets of records on disk, one file a pair of bundles, bounded in all: what was used least recently goes.
//
// Only a cache: what is missing or damaged is made anew, so nothing is synced. Any thread may use it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "cloud/delta/records.h"

namespace mv::cloud {

class DeltaCache {
 public:
  // Uses (and makes) the folder; removes what an interrupted write left behind. `limit`: bytes of all files.
  static Result<DeltaCache> open(const std::filesystem::path& folder, std::uint64_t limit);

  // What is there, and not damaged. It counts as used now.
  std::optional<DeltaRecords> load(const DeltaPair& pair) const;
  // Errors: a sentence; the set is not kept.
  Result<void> store(const DeltaPair& pair, const DeltaRecords& records) const;
  // Removes all sets from or to the bundle: it was deleted.
  void forget(std::string_view manifest_hash) const;

  std::uint64_t size() const;  // bytes of all files

 private:
  DeltaCache(std::filesystem::path folder, std::uint64_t limit) : folder_(std::move(folder)), limit_(limit) {}

  std::filesystem::path path_of(const DeltaPair& pair) const;
  void trim() const;

  std::filesystem::path folder_;
  std::uint64_t limit_;
};

}  // namespace mv::cloud
