// What a client wrote into the application's flash, on its way to become the program that runs.
#pragma once

#include <cstdint>
#include <vector>

namespace mv::gdb {

// Bytes in one piece. Never empty.
struct FlashPiece {
  std::uint32_t address;
  std::vector<std::uint8_t> bytes;

  std::uint64_t end() const { return std::uint64_t{address} + bytes.size(); }
};

// By address; no two touch. What lies between them is erased.
using FlashContent = std::vector<FlashPiece>;

}  // namespace mv::gdb
