#include "gdbserver/rtos/memory.h"

#include <algorithm>

namespace mv::gdb::rtos {
namespace {

// A few bytes more cost less than another range in a message.
constexpr std::uint32_t kNear = MemoryCache::kLine;
constexpr std::uint32_t kMostJoined = 512;

bool printable(std::uint32_t c) { return c >= 0x20 && c <= 0x7e; }

std::vector<Memory::Span> spans(const std::map<std::uint32_t, Memory::Span>& lines) {
  std::vector<Memory::Span> sorted;
  sorted.reserve(lines.size());
  for (const auto& [address, span] : lines) sorted.push_back(span);
  return join(sorted);
}

}  // namespace

std::vector<Memory::Span> join(const std::vector<Memory::Span>& sorted) {
  std::vector<Memory::Span> out;
  for (const Memory::Span& span : sorted) {
    const std::uint64_t end = out.empty() ? 0 : std::uint64_t{out.back().address} + out.back().length;
    const std::uint64_t joined = out.empty() ? 0 : std::uint64_t{span.address} + span.length - out.back().address;
    if (!out.empty() && span.address <= end + kNear && joined <= kMostJoined) {
      out.back().length = std::max(out.back().length, static_cast<std::uint32_t>(joined));
    } else {
      out.push_back(span);
    }
  }
  return out;
}

// The line of the cache around an address of a region, as far as it lies in the region.
Memory::Span Memory::line_at(std::uint32_t address) const {
  const auto region =
      std::find_if(regions_.begin(), regions_.end(), [&](const Region& r) { return r.contains(address, 1); });
  const std::uint64_t line = address - address % MemoryCache::kLine;
  const std::uint64_t first = std::max<std::uint64_t>(line, region->address);
  const std::uint64_t end = std::min(line + MemoryCache::kLine, std::uint64_t{region->address} + region->size);
  return {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(end - first)};
}

void Memory::begin_walk() {
  missing_.clear();
  unreadable_.reset();
}

bool Memory::refused(std::uint32_t address, std::uint32_t length) const {
  return std::any_of(refused_.begin(), refused_.end(), [&](const Span& span) {
    return address < std::uint64_t{span.address} + span.length && span.address < std::uint64_t{address} + length;
  });
}

std::optional<std::vector<std::uint8_t>> Memory::bytes(std::uint32_t address, std::uint32_t length) {
  if (!cache_.cacheable(address, length) || refused(address, length)) {
    unreadable_ = address;
    return std::nullopt;
  }
  const std::uint64_t end = std::uint64_t{address} + length;
  for (std::uint64_t at = address; at < end; at = (at / MemoryCache::kLine + 1) * MemoryCache::kLine) {
    const Span line = line_at(static_cast<std::uint32_t>(at));
    used_[line.address] = line;
    if (!cache_.find(line.address, line.length)) missing_[line.address] = line;
  }
  return cache_.find(address, length);
}

std::optional<std::uint32_t> Memory::number(std::uint32_t address, std::uint32_t size) {
  if ((size != 1 && size != 2 && size != 4) || address % size != 0) {
    unreadable_ = address;
    return std::nullopt;
  }
  const auto found = bytes(address, size);
  if (!found) return std::nullopt;
  std::uint32_t value = 0;
  for (std::uint32_t i = 0; i < size; ++i) value |= static_cast<std::uint32_t>((*found)[i]) << (8 * i);
  return value;
}

std::optional<std::string> Memory::text(std::uint32_t address, std::uint32_t most) {
  std::string out;
  while (out.size() < most) {
    const auto byte = number(address + static_cast<std::uint32_t>(out.size()), 1);
    if (!byte) return std::nullopt;
    if (*byte == 0) break;
    out += printable(*byte) ? static_cast<char>(*byte) : '?';
  }
  return out;
}

std::vector<Memory::Span> Memory::missing() const { return spans(missing_); }
std::vector<Memory::Span> Memory::used() const { return spans(used_); }

}  // namespace mv::gdb::rtos
