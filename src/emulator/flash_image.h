// The flash of an emulated device: a file that QEMU works on, laid out as the board says (emulator/board.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "emulator/board.h"

namespace mv::emulator {

struct FlashFiles {
  std::filesystem::path flash;
  std::filesystem::path nor;  // of boards that have one
};

// Makes the files: erased but for what a factory writes, the firmware's boot stage and signed microvisor (of the folder
// `firmware`) and the identity. The flash appears whole or not at all, readable by its owner only, because the identity
// holds a private key. Error: a sentence.
tl::expected<void, std::string> make_flash(const EmulatedBoard& board, const FlashFiles& files,
                                           const std::filesystem::path& firmware,
                                           std::span<const std::uint8_t> identity);

// Makes a flash that is erased but for a program in place of the boot stage, as a tool writes it. Only for boards whose
// flash holds the boot stage. Error: a sentence.
tl::expected<void, std::string> make_bare_flash(const EmulatedBoard& board, const std::filesystem::path& flash,
                                                const std::filesystem::path& program);

// Puts another microvisor into existing files, as a factory would: it is then the one that starts, whatever an update
// over the air had put beside it. Everything else stays.
tl::expected<void, std::string> replace_microvisor(const EmulatedBoard& board, const FlashFiles& files,
                                                   const std::filesystem::path& firmware);

// Tells firmware apart: the CRC-32 of its microvisor.
tl::expected<std::uint32_t, std::string> microvisor_mark(const EmulatedBoard& board,
                                                         const std::filesystem::path& firmware);

// The identity area's content: length and CRC-32 (the one of zlib and Ethernet), both little-endian, then the bytes.
std::vector<std::uint8_t> identity_record(std::span<const std::uint8_t> identity);

std::uint32_t crc32(std::span<const std::uint8_t> bytes);

}  // namespace mv::emulator
