#include "usb/board.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

namespace mv::usb {
namespace {

constexpr std::uint8_t kApplicationSpecific = 0xFE;
constexpr std::uint8_t kDfuSubclass = 0x01;
constexpr std::uint8_t kDfuMode = 0x02;  // protocol: the boot loader itself, not an application that could enter it

// Product ids with the debug interface; UM2448, UM1075 and ST's udev rules.
struct StLink {
  std::uint16_t product;
  std::string_view name;
};
constexpr std::array kStLinks = {
    StLink{0x3744, "ST-LINK"},      StLink{0x3748, "ST-LINK/V2"},   StLink{0x374B, "ST-LINK/V2-1"},
    StLink{0x374D, "STLINK-V3"},    StLink{0x374E, "STLINK-V3"},    StLink{0x374F, "STLINK-V3"},
    StLink{0x3752, "ST-LINK/V2-1"}, StLink{0x3753, "STLINK-V3"},    StLink{0x3754, "STLINK-V3"},
    StLink{0x3755, "STLINK-V3"},    StLink{0x3757, "STLINK-V3PWR"},
};

std::vector<DfuMemory> memories_of(const Description& device) {
  std::vector<DfuMemory> memories;
  for (const Interface& interface : device.interfaces) {
    if (interface.device_class != kApplicationSpecific || interface.subclass != kDfuSubclass ||
        interface.protocol != kDfuMode) {
      continue;
    }
    auto layout = MemoryLayout::parse(interface.name);
    if (layout) memories.push_back({interface.number, interface.alternate, *std::move(layout)});
  }
  return memories;
}

std::optional<Board> board_of(Description&& device) {
  Board board;
  board.memories = memories_of(device);
  board.serial = find_serial_functions(device.interfaces);
  const bool from_st = device.vendor == kStVendor;
  const bool st_link = from_st && std::ranges::find(kStLinks, device.product, &StLink::product) != kStLinks.end();
  if (from_st && device.product == kRomBootLoader) {
    board.kind = Board::Kind::kBootLoader;
  } else if (st_link) {
    board.kind = Board::Kind::kStLink;
  } else if (board.serial.empty()) {
    return std::nullopt;
  }
  board.usb = std::move(device);
  return board;
}

}  // namespace

std::string_view kind_name(Board::Kind kind) {
  switch (kind) {
    case Board::Kind::kBootLoader:
      return "STM32 boot loader";
    case Board::Kind::kStLink:
      return "ST-LINK";
    case Board::Kind::kSerial:
      return "serial port";
  }
  return "";
}

std::string_view st_link_name(std::uint16_t product) {
  const auto* found = std::ranges::find(kStLinks, product, &StLink::product);
  return found == kStLinks.end() ? "ST-LINK" : found->name;
}

std::vector<Board> find_boards(std::vector<Description> devices) {
  std::vector<Board> boards;
  for (Description& device : devices) {
    if (auto board = board_of(std::move(device))) boards.push_back(*std::move(board));
  }
  std::ranges::sort(boards, {}, [](const Board& board) { return board.usb.path; });
  return boards;
}

const DfuMemory* find_memory(const Board& board, std::string_view name) {
  const auto found =
      std::ranges::find_if(board.memories, [&](const DfuMemory& memory) { return memory.layout.name() == name; });
  return found == board.memories.end() ? nullptr : &*found;
}

std::string id_text(const Description& device) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%04x:%04x", device.vendor, device.product);
  return text.data();
}

}  // namespace mv::usb
