#include "emulator/board.h"

#include <algorithm>

#include "boards/stm32u585/flash_layout.h"
#include "core/platform/flash_map.h"

namespace mv::emulator {
namespace {

constexpr FlashArea area(const flash_map::Area& of_map) { return {of_map.offset, of_map.size}; }

constexpr FlashArea kNorSlots[] = {{board::nor_address(board::kNorSlotA), board::kNorPage},
                                   {board::nor_address(board::kNorSlotB), board::kNorPage}};
constexpr std::size_t kQuadWord = 16, kOptionBytes = 8192;

// mps2-an505: firmware-agent/boards/mps2-an505/file_flash.h, four marks a byte. stm32u585: emulator/qemu-stm32u585.
constexpr EmulatedBoard kBoards[] = {
    {.name = "mps2-an505",
     .qemu = "qemu-system-arm",
     .qemu_missing = "install it with apt-get install qemu-system-arm",
     .boot_stage_file = "boot-rom.elf",
     .file_size = flash_map::kFlashSize,
     .boot_stage = {0, 0},
     .microvisor = area(flash_map::kMicrovisor),
     .identity = area(flash_map::kIdentity),
     .boot_choice = area(flash_map::kBootChoice),
     .marks = flash_map::kFlashSize - flash_map::kFlashSize / 64,
     .cells_of_a_mark = 64,
     .has_nor = false,
     .nor_slots = {},
     .counts_flash_operations = false},
    {.name = "stm32u585",
     .qemu = "qemu-stm32u585",
     .qemu_missing = "build it with scripts/build-qemu-stm32u585",
     .boot_stage_file = "boot-rom.bin",
     .file_size = board::kFlashSize + board::kFlashSize / kQuadWord + kOptionBytes,
     .boot_stage = {board::kBootStage, board::kBootStageRoom},
     .microvisor = {board::kImage - board::kHeaderSize, board::kHeaderSize + board::kImageRoom},
     .identity = {board::kIdentityPage, board::kPageSize},
     .boot_choice = {board::kBootChoice, flash_map::kBootChoice.size},
     .marks = board::kFlashSize,
     .cells_of_a_mark = kQuadWord,
     .has_nor = true,
     .nor_slots = kNorSlots,
     .counts_flash_operations = true},
};

}  // namespace

std::span<const EmulatedBoard> emulated_boards() { return kBoards; }

const EmulatedBoard* find_emulated_board(std::string_view name) {
  const auto* const found = std::ranges::find(kBoards, name, &EmulatedBoard::name);
  return found == std::end(kBoards) ? nullptr : found;
}

std::string emulated_board_names() {
  std::string names;
  for (const EmulatedBoard& board : kBoards) names += (names.empty() ? "" : ", ") + std::string(board.name);
  return names;
}

}  // namespace mv::emulator
