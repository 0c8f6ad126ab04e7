#include "gdbserver/target/memory_cache.h"

#include <algorithm>
#include <utility>

namespace mv::gdb {
namespace {

std::uint32_t line_of(std::uint32_t address) { return address / MemoryCache::kLine * MemoryCache::kLine; }

// One past the last byte; regions may reach the top of the address space.
std::uint64_t end_of(const Region& region) { return static_cast<std::uint64_t>(region.address) + region.size; }

}  // namespace

void MemoryCache::set_regions(std::vector<Region> regions) {
  regions_ = std::move(regions);
  std::erase_if(regions_, [](const Region& region) { return region.kind == MemoryKind::kPeripheral; });
  lines_.clear();
}

const Region* MemoryCache::region_of(std::uint32_t address) const {
  for (const Region& region : regions_)
    if (region.contains(address, 1)) return &region;
  return nullptr;
}

bool MemoryCache::cacheable(std::uint32_t address, std::uint32_t length) const {
  const Region* region = region_of(address);
  return region != nullptr && region->contains(address, length);
}

bool MemoryCache::is_flash(std::uint32_t address, std::uint32_t length) const {
  const Region* region = region_of(address);
  return region != nullptr && region->kind == MemoryKind::kFlash && region->contains(address, length);
}

std::optional<std::vector<std::uint8_t>> MemoryCache::find(std::uint32_t address, std::uint32_t length) const {
  std::vector<std::uint8_t> out;
  out.reserve(length);
  while (out.size() < length) {
    const std::uint32_t at = address + static_cast<std::uint32_t>(out.size());
    const auto line = lines_.find(line_of(at));
    if (line == lines_.end()) return std::nullopt;
    for (std::uint32_t i = at % kLine; i < kLine && out.size() < length; ++i) {
      if ((line->second.known >> i & 1) == 0) return std::nullopt;
      out.push_back(line->second.bytes[i]);
    }
  }
  return out;
}

// A line at the edge of a region counts as known when its part inside the region is.
bool MemoryCache::line_known(std::uint32_t line, const Region& region) const {
  const std::uint64_t first = std::max(line, region.address);
  const std::uint64_t last = std::min(static_cast<std::uint64_t>(line) + kLine, end_of(region));
  return find(static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(last - first)).has_value();
}

std::vector<MemoryCache::Span> MemoryCache::missing(std::uint32_t address, std::uint32_t length,
                                                    std::uint32_t ahead) const {
  std::vector<Span> spans;
  if (length == 0 || find(address, length)) return spans;
  const Region& region = *region_of(address);
  const std::uint64_t wanted = static_cast<std::uint64_t>(address) + length + ahead;
  const std::uint64_t end = std::min(wanted, end_of(region));
  for (std::uint64_t line = line_of(address); line < end; line += kLine) {
    if (line_known(static_cast<std::uint32_t>(line), region)) continue;
    const auto first = static_cast<std::uint32_t>(std::max<std::uint64_t>(line, region.address));
    const auto size = static_cast<std::uint32_t>(std::min(line + kLine, end_of(region)) - first);
    if (!spans.empty() && spans.back().address + spans.back().length == first) {
      spans.back().length += size;
    } else {
      spans.push_back({first, size});
    }
  }
  return spans;
}

std::size_t MemoryCache::store(std::uint32_t address, std::span<const std::uint8_t> bytes) {
  std::size_t news = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::uint32_t at = address + static_cast<std::uint32_t>(i);
    if (region_of(at) == nullptr) continue;
    Line& line = lines_[line_of(at)];
    line.bytes[at % kLine] = bytes[i];
    const std::uint64_t bit = std::uint64_t{1} << (at % kLine);
    if ((line.known & bit) == 0) ++news;
    line.known |= bit;
  }
  return news;
}

FlashContent MemoryCache::known(std::uint32_t address, std::uint32_t length) const {
  FlashContent content;
  const std::uint64_t end = std::uint64_t{address} + length;
  for (auto line = lines_.lower_bound(line_of(address)); line != lines_.end() && line->first < end; ++line) {
    for (std::uint32_t i = 0; i < kLine; ++i) {
      const std::uint64_t at = std::uint64_t{line->first} + i;
      if (at < address || at >= end || (line->second.known >> i & 1) == 0) continue;
      if (content.empty() || content.back().end() != at) content.push_back({static_cast<std::uint32_t>(at), {}});
      content.back().bytes.push_back(line->second.bytes[i]);
    }
  }
  return content;
}

void MemoryCache::forget_ram() {
  std::erase_if(lines_, [this](const auto& entry) {
    // A line of 64 bytes lies in one region or at the edge of one; the edge of RAM is as fleeting as RAM.
    const Region* first = region_of(entry.first);
    const Region* last = region_of(entry.first + kLine - 1);
    const bool flash = (first == nullptr || first->kind == MemoryKind::kFlash) &&
                       (last == nullptr || last->kind == MemoryKind::kFlash);
    return !flash;
  });
}

}  // namespace mv::gdb
