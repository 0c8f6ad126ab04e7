#include "output.h"

#include "board.h"
#include "conformance.h"

namespace conformance {
namespace {

// RM0456, 66.8.
constexpr std::uint32_t kUsart1 = 0x50013800;
constexpr std::uint32_t kControl = kUsart1, kBaud = kUsart1 + 0x0c, kRequest = kUsart1 + 0x18, kStatus = kUsart1 + 0x1c;
constexpr std::uint32_t kClear = kUsart1 + 0x20, kReceive = kUsart1 + 0x24, kTransmit = kUsart1 + 0x28;
constexpr std::uint32_t kEnable = 1U << 0, kReceiver = 1U << 2, kTransmitter = 1U << 3, kFifo = 1U << 29;
constexpr std::uint32_t kReceived = 1U << 5, kSent = 1U << 6, kRoom = 1U << 7, kErrors = 0xf;
constexpr std::uint32_t kFlushReceiver = 1U << 3;
constexpr std::uint32_t kBaudRate = 115'200;

std::uint32_t received_;

void put(char character) {
  while ((reg(kStatus) & kRoom) == 0) continue;
  reg(kTransmit) = static_cast<unsigned char>(character);
}

// CRC-16 of CCITT, polynomial 0x1021, begun with 0xffff.
std::uint32_t crc_with(std::uint32_t crc, char character) {
  crc ^= static_cast<std::uint32_t>(static_cast<unsigned char>(character)) << 8;
  for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000) != 0 ? crc << 1 ^ 0x1021 : crc << 1;
  return crc & 0xffff;
}

}  // namespace

void set_up_line() {
  board_connect_console();
  reg(kControl) = 0;
  reg(kBaud) = (board_clock_hz() + kBaudRate / 2) / kBaudRate;
  reg(kControl) = kFifo | kReceiver | kTransmitter;
  reg(kControl) = kFifo | kReceiver | kTransmitter | kEnable;
}

// Returns when the last bit has left: what the next item does to the clock reaches no character.
void write_line(const char* text) {
  std::uint32_t crc = 0xffff;
  for (; *text != 0; ++text) {
    crc = crc_with(crc, *text);
    put(*text);
  }
  put('\t');
  put('*');
  for (int shift = 12; shift >= 0; shift -= 4) put("0123456789abcdef"[crc >> shift & 15]);
  put('\r');
  put('\n');
  while ((reg(kStatus) & kSent) == 0) continue;
}

void drop_input() {
  reg(kRequest) = kFlushReceiver;
  reg(kClear) = kErrors;
  received_ = 0;
}

bool read_line(char* text, std::uint32_t size) {
  reg(kClear) = kErrors;  // an overrun would stop the receiver
  if ((reg(kStatus) & kReceived) == 0) return false;
  const char character = static_cast<char>(reg(kReceive) & 0xff);
  const bool ends = character == '\n' || character == '\r';
  if (!ends) {
    if (received_ < size) text[received_++] = character;
    return false;
  }
  if (received_ == size) text[0] = '?', received_ = 1;
  text[received_] = 0;
  received_ = 0;
  return true;
}

}  // namespace conformance
