// The boards that can be emulated: which QEMU, and how the flash of a device is laid out in a file.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace mv::emulator {

struct FlashArea {
  std::size_t offset;  // in the file
  std::size_t size;    // bytes
};

struct EmulatedBoard {
  std::string_view name;
  std::string_view qemu;             // the program that has the machine
  std::string_view qemu_missing;     // what to do if it is not there
  std::string_view boot_stage_file;  // of the firmware's folder: what runs first

  std::size_t file_size;  // of the flash file, all 0xFF when it is fresh
  FlashArea boot_stage;   // size 0: not in the flash, QEMU loads it
  FlashArea microvisor;   // where a factory puts the signed image
  FlashArea identity;
  FlashArea boot_choice;  // the records of which microvisor starts

  // Behind the cells the file has a mark for each quad-word, 0xFF where the device itself did not write: one byte for
  // so many bytes of cells.
  std::size_t marks;
  std::size_t cells_of_a_mark;

  // The device has a second flash beside it, in a file of its own that holds the complement of the cells: sparse when
  // erased. Its microvisor slots begin there.
  bool has_nor;
  std::span<const FlashArea> nor_slots;

  // Its QEMU counts the operations on flash and NOR, and can let the power fail at one of them.
  bool counts_flash_operations;
};

std::span<const EmulatedBoard> emulated_boards();

// nullptr if no board of that name can be emulated.
const EmulatedBoard* find_emulated_board(std::string_view name);

// "mps2-an505, stm32u585"
std::string emulated_board_names();

}  // namespace mv::emulator
