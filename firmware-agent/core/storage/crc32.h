// CRC-32 as in Ethernet and zip (polynomial 0xEDB88320, reflected), for records in flash.
#pragma once

#include <cstdint>
#include <span>

namespace mv::storage {

// `before`: the result for the bytes that come before these, to go on in pieces.
std::uint32_t crc32(std::span<const std::uint8_t> bytes, std::uint32_t before = 0);

}  // namespace mv::storage
