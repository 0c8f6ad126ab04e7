#include "usb/flasher.h"

#include <algorithm>
#include <array>

namespace mv::usb {
namespace {

bool go_on(std::uint64_t) { return true; }

Expected<DfuSe> open_options(Device& device, const Board& board, const Wait& wait) {
  const DfuMemory* memory = find_memory(board, "Option Bytes");
  if (memory == nullptr || memory->layout.size() != stm32u585::kOptionBytesSize) {
    return failed(Problem::kNotFound, "its boot loader presents no option bytes of an stm32u585");
  }
  return DfuSe::open(device, board, *memory, wait);
}

std::uint64_t bytes_of(const std::vector<Region>& regions) {
  std::uint64_t bytes = 0;
  for (const Region& region : regions) bytes += region.content.size();
  return bytes;
}

}  // namespace

void Flasher::enter(FlashProgress::Stage stage, std::uint64_t total) {
  progress_.stage = stage;
  progress_.done = 0;
  progress_.total = total;
  on_progress_(progress_);
}

Expected<void> Flasher::erase(const std::vector<Region>& regions) {
  const auto pages = pages_of(regions);
  enter(FlashProgress::Stage::kErase, pages.size());
  for (const std::uint32_t page : pages) {
    if (auto erased = flash_.erase(page); !erased) return erased;
    ++progress_.done;
    if (!on_progress_(progress_)) return failed(Problem::kInterrupted, "interrupted");
  }
  return {};
}

Expected<void> Flasher::write(const std::vector<Region>& regions) {
  if (auto erased = erase(regions); !erased) return erased;
  enter(FlashProgress::Stage::kWrite, bytes_of(regions));
  for (const Region& region : regions) {
    progress_.what = region.what;
    const std::uint64_t before = progress_.done;
    const auto written = flash_.write(region.address, region.content, [&](std::uint64_t done) {
      progress_.done = progress_.written = before + done;
      return on_progress_(progress_);
    });
    if (!written) return written;
  }
  return verify(regions);
}

Expected<void> Flasher::verify(const std::vector<Region>& regions) {
  enter(FlashProgress::Stage::kVerify, bytes_of(regions));
  for (const Region& region : regions) {
    progress_.what = region.what;
    const std::uint64_t before = progress_.done;
    std::vector<std::uint8_t> read(region.content.size());
    const auto done = flash_.read(region.address, read, [&](std::uint64_t bytes) {
      progress_.done = before + bytes;
      return on_progress_(progress_);
    });
    if (!done) return done;
    const auto [wanted, found] = std::ranges::mismatch(region.content, read);
    if (wanted == region.content.end()) continue;
    const auto at = region.address + static_cast<std::uint32_t>(wanted - region.content.begin());
    return failed(Problem::kMismatch, region.what + " differs from " + secure_address_text(at) + " on");
  }
  return {};
}

Expected<OptionBytes> read_option_bytes(Device& device, const Board& board, const Wait& wait) {
  auto dfu = open_options(device, board, wait);
  if (!dfu) return tl::make_unexpected(dfu.error());
  std::array<std::uint8_t, stm32u585::kOptionBytesSize> bytes{};
  if (auto read = dfu->read(stm32u585::kOptionBytes, bytes, go_on); !read) return tl::make_unexpected(read.error());
  return *OptionBytes::parse(bytes);
}

Expected<void> write_option_bytes(Device& device, const Board& board, const OptionBytes& options, const Wait& wait) {
  auto dfu = open_options(device, board, wait);
  if (!dfu) return tl::make_unexpected(dfu.error());
  auto written = dfu->write(stm32u585::kOptionBytes, options.writable(), go_on);
  // It loads them by a reset, which may come before it has said that it is done.
  if (!written && written.error().problem == Problem::kGone) return {};
  return written;
}

}  // namespace mv::usb
