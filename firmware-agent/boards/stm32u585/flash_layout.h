// Where things lie in the flash of the STM32U585 and in the NOR beside it. Numbers alone: tools of the host include it
// too.
#pragma once

#include <cstdint>

namespace mv::board {

inline constexpr std::uint32_t kPageSize = 0x2000;
inline constexpr std::uint32_t kBankSize = 0x100000;
inline constexpr std::uint32_t kSecureFlash = 0x0c000000;  // both banks as Secure code sees them
inline constexpr std::uint32_t kFlashSize = 2 * kBankSize;

// Offsets in the flash. Bank 1 is the application's; bank 2: boot stage 56 KiB, the header of the image that runs, the
// image, small areas, identity, veneers.
inline constexpr std::uint32_t kBootStage = 0x100000;
inline constexpr std::uint32_t kBootStageRoom = 0xe000;
inline constexpr std::uint32_t kHeaderPage = 0x10e000;  // its last bytes hold the header, so that the image follows it
inline constexpr std::uint32_t kImage = 0x110000;
inline constexpr std::uint32_t kImageRoom = 0x40000;
inline constexpr std::uint32_t kHeaderSize = 128;  // sizeof(image::Header)
inline constexpr std::uint32_t kSmallAreas = 0x150000;
inline constexpr std::uint32_t kBootChoice = kSmallAreas + 0x20000;
inline constexpr std::uint32_t kIdentityPage = 0x1fc000;
inline constexpr std::uint32_t kVeneerPage = 0x1fe000;

// Offsets of pages that core/storage/checked_nor.h keeps in the NOR, 12 KiB for each 8 KiB; and what is left of the
// NOR.
inline constexpr std::uint32_t kNorStaging = 0x000000;
inline constexpr std::uint32_t kNorUndo = 0x100000;
inline constexpr std::uint32_t kNorStagingIndex = 0x200000;
inline constexpr std::uint32_t kNorUndoIndex = 0x208000;
inline constexpr std::uint32_t kNorSlotA = 0x210000;
inline constexpr std::uint32_t kNorSlotB = 0x290000;
inline constexpr std::uint32_t kNorPage = 3 * 4096;
constexpr std::uint32_t nor_address(std::uint32_t offset) { return offset / kPageSize * kNorPage; }

}  // namespace mv::board
