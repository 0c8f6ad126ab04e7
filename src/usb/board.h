// Which of the devices on the bus are boards, and what can be done with each.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "usb/class_descriptors.h"
#include "usb/memory_layout.h"
#include "usb/usb_device.h"

namespace mv::usb {

inline constexpr std::uint16_t kStVendor = 0x0483;
inline constexpr std::uint16_t kRomBootLoader = 0xDF11;  // AN2606, AN3156

// One memory of a ROM boot loader: an alternate setting and what its name says.
struct DfuMemory {
  std::uint8_t interface = 0;
  std::uint8_t alternate = 0;
  MemoryLayout layout;
};

struct Board {
  enum class Kind : std::uint8_t { kBootLoader, kStLink, kSerial };

  Description usb;
  Kind kind = Kind::kSerial;
  std::vector<DfuMemory> memories;     // of a boot loader
  std::vector<SerialFunction> serial;  // ports that carry bytes

  bool can_flash() const { return !memories.empty(); }
  bool can_bridge() const { return !serial.empty(); }
};

// "STM32 boot loader", "ST-LINK", "serial port"
std::string_view kind_name(Board::Kind kind);

// "ST-LINK/V3": by product id; "ST-LINK" for one that is not known.
std::string_view st_link_name(std::uint16_t product);

// The boards among `devices`, in the order of their paths.
std::vector<Board> find_boards(std::vector<Description> devices);

// The memory with this name ("Internal Flash"), or nullptr.
const DfuMemory* find_memory(const Board& board, std::string_view name);

// "0483:df11"
std::string id_text(const Description& device);

}  // namespace mv::usb
