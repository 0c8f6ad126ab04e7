#include "gdbserver/session/flash_writer.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace mv::gdb {

bool FlashWriter::is_flash(std::uint32_t address, std::uint32_t length) const {
  return std::any_of(regions_.begin(), regions_.end(), [&](const Region& region) {
    return region.kind == MemoryKind::kFlash && region.contains(address, length);
  });
}

bool FlashWriter::is_erased(std::uint64_t start, std::uint64_t end) const {
  const auto after = erased_.upper_bound(start);
  return after != erased_.begin() && std::prev(after)->second >= end;
}

Result<void> FlashWriter::erase(std::uint32_t address, std::uint32_t length) {
  if (length == 0 || !is_flash(address, length)) {
    return failure(ErrorCode::kBadAddress,
                   fmt::format("0x{:08x} and the {} bytes there are not the application's flash", address, length));
  }
  if (!written_.empty()) {
    written_.clear();
    erased_.clear();
  }
  std::uint64_t start = address;
  std::uint64_t end = start + length;
  auto next = erased_.upper_bound(start);
  if (next != erased_.begin() && std::prev(next)->second >= start) --next;
  while (next != erased_.end() && next->first <= end) {
    start = std::min(start, next->first);
    end = std::max(end, next->second);
    next = erased_.erase(next);
  }
  erased_[start] = end;
  return {};
}

Result<void> FlashWriter::write(std::uint32_t address, Bytes bytes) {
  if (bytes.empty()) return {};
  const std::uint64_t end = std::uint64_t{address} + bytes.size();
  if (!is_erased(address, end))
    return failure(ErrorCode::kBadAddress, fmt::format("0x{:08x} was not erased before it is written", address));
  const auto after = written_.lower_bound(address);
  auto before = after == written_.begin() ? written_.end() : std::prev(after);
  const auto end_of = [](const auto& piece) { return piece.first + piece.second.size(); };
  if ((after != written_.end() && after->first < end) || (before != written_.end() && end_of(*before) > address))
    return failure(ErrorCode::kBadAddress, fmt::format("0x{:08x} is written twice", address));
  if (before != written_.end() && end_of(*before) == address) {
    before->second.insert(before->second.end(), bytes.begin(), bytes.end());
  } else {
    before = written_.emplace(address, std::move(bytes)).first;
  }
  if (after == written_.end() || after->first != end) return {};
  before->second.insert(before->second.end(), after->second.begin(), after->second.end());
  written_.erase(after);
  return {};
}

Result<FlashContent> FlashWriter::take() {
  erased_.clear();
  if (written_.empty()) return failure(ErrorCode::kBadRequest, "nothing was written into flash");
  FlashContent content;
  for (auto& [address, bytes] : std::exchange(written_, {}))
    content.push_back({static_cast<std::uint32_t>(address), std::move(bytes)});
  return content;
}

}  // namespace mv::gdb
