#include "cloud/delta/cache.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "cloud/files.h"

namespace mv::cloud {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kLargestFile = 64U << 20;  // above what the largest bundle's records take

struct Entry {
  fs::path path;
  std::uint64_t size = 0;
  fs::file_time_type used;
};

// Files that go away meanwhile are left out.
std::vector<Entry> entries_of(const fs::path& folder) {
  std::vector<Entry> entries;
  std::error_code error;
  for (fs::directory_iterator file(folder, error), end; !error && file != end; file.increment(error)) {
    std::error_code gone;
    Entry entry{file->path(), file->file_size(gone), {}};
    if (!gone) entry.used = file->last_write_time(gone);
    if (!gone) entries.push_back(std::move(entry));
  }
  return entries;
}

std::uint64_t size_of(const std::vector<Entry>& entries) {
  return std::accumulate(entries.begin(), entries.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const Entry& entry) { return sum + entry.size; });
}

}  // namespace

Result<DeltaCache> DeltaCache::open(const fs::path& folder, std::uint64_t limit) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return fail("cannot make the folder " + folder.string() + ": " + error.message());
  for (const Entry& entry : entries_of(folder)) {
    if (entry.path.filename().string().starts_with(".new-")) fs::remove(entry.path, error);
  }
  DeltaCache cache(folder, limit);
  cache.trim();  // the limit may be lower than it was
  return cache;
}

fs::path DeltaCache::path_of(const DeltaPair& pair) const {
  return folder_ / ((pair.from.empty() ? "none" : to_hex(pair.from)) + "-" + to_hex(pair.to));
}

std::optional<DeltaRecords> DeltaCache::load(const DeltaPair& pair) const {
  const fs::path path = path_of(pair);
  auto bytes = read_file(path, kLargestFile);
  if (!bytes) return std::nullopt;
  std::error_code ignored;
  auto records = DeltaRecords::parse(std::move(*bytes));
  if (!records) {
    fs::remove(path, ignored);
    return std::nullopt;
  }
  fs::last_write_time(path, fs::file_time_type::clock::now(), ignored);
  return std::move(*records);
}

Result<void> DeltaCache::store(const DeltaPair& pair, const DeltaRecords& records) const {
  auto file = TemporaryFile::create(folder_);
  if (!file) return fail(file.error());
  if (auto done = file->write(records.bytes()); !done) return done;
  std::error_code error;
  fs::rename(file->path(), path_of(pair), error);
  if (error) return fail("cannot put " + path_of(pair).string() + " in place: " + error.message());
  trim();
  return {};
}

void DeltaCache::forget(std::string_view manifest_hash) const {
  const std::string name = to_hex(manifest_hash);
  std::error_code ignored;
  for (const Entry& entry : entries_of(folder_)) {
    if (entry.path.filename().string().find(name) != std::string::npos) fs::remove(entry.path, ignored);
  }
}

std::uint64_t DeltaCache::size() const { return size_of(entries_of(folder_)); }

void DeltaCache::trim() const {
  auto entries = entries_of(folder_);
  std::uint64_t size = size_of(entries);
  std::ranges::sort(entries, {}, &Entry::used);
  for (auto oldest = entries.begin(); oldest != entries.end() && size > limit_; ++oldest) {
    std::error_code ignored;
    fs::remove(oldest->path, ignored);
    size -= oldest->size;
  }
}

}  // namespace mv::cloud
