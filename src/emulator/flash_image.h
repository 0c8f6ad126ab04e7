// The flash of an emulated device: a 16 MiB file that QEMU maps, laid out as firmware-agent/core/platform/flash_map.h
// says.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace mv::emulator {

// Makes the file: erased (0xFF) but for the microvisor's signed image and the identity. It appears whole or not at all,
// readable by its owner only, because the identity holds a private key. Error: a sentence.
tl::expected<void, std::string> make_flash(const std::filesystem::path& file,
                                           const std::filesystem::path& microvisor_image,
                                           std::span<const std::uint8_t> identity);

// Puts another microvisor image into an existing flash file, as a factory would: into slot A, which is then the one
// that starts, whatever an update over the air had put beside it. Everything else stays.
tl::expected<void, std::string> replace_microvisor(const std::filesystem::path& file,
                                                   const std::filesystem::path& microvisor_image);

// Tells images apart: the CRC-32 of the file.
tl::expected<std::uint32_t, std::string> microvisor_mark(const std::filesystem::path& microvisor_image);

// The identity area's content: length and CRC-32 (the one of zlib and Ethernet), both little-endian, then the bytes.
std::vector<std::uint8_t> identity_record(std::span<const std::uint8_t> identity);

std::uint32_t crc32(std::span<const std::uint8_t> bytes);

}  // namespace mv::emulator
