#include "boards/mps2-an505/file_external_flash.h"

#include <cstring>

namespace mv::board {

bool FileExternalFlash::read(std::uint32_t offset, std::span<std::uint8_t> out) {
  if (busy() || !in_range(offset, out.size())) return false;
  if (!out.empty()) std::memcpy(out.data(), &cells_[offset], out.size());
  return true;
}

bool FileExternalFlash::begin_erase(std::uint32_t sector) {
  if (busy() || sector % kSector != 0 || !in_range(sector, kSector)) return false;
  std::memset(&cells_[sector], 0xff, kSector);
  ready_at_us_ = clock_.uptime_us() + kEraseUs;
  return true;
}

bool FileExternalFlash::begin_program(std::uint32_t offset, std::span<const std::uint8_t> bytes) {
  if (busy() || bytes.size() > kPage - offset % kPage || !in_range(offset, bytes.size())) return false;
  for (std::size_t i = 0; i < bytes.size(); ++i) cells_[offset + i] &= bytes[i];
  ready_at_us_ = clock_.uptime_us() + kProgramUs;
  return true;
}

}  // namespace mv::board
