#include "core/debug/semihosting.h"

#include <array>
#include <span>

#include "core/debug/thumb.h"
#include "core/storage/little_endian.h"

namespace mv::debug::semihosting {
namespace {

constexpr std::uint16_t kBkptAb = 0xBEAB;
constexpr std::uint32_t kSysExit = 0x18;
constexpr std::uint32_t kSysExitExtended = 0x20;
constexpr std::uint32_t kApplicationExit = 0x20026;  // ADP_Stopped_ApplicationExit
constexpr std::uint8_t kOtherEnd = 1;

// The parameter block: why, and with which status.
std::uint8_t extended_status(std::uint32_t block, ApplicationMemory& memory) {
  std::array<std::uint8_t, 8> bytes{};
  if (!memory.read(block, bytes)) return kOtherEnd;
  if (storage::load_u32(std::span(bytes).first<4>()) != kApplicationExit) return kOtherEnd;
  return bytes[4];
}

}  // namespace

std::optional<std::uint8_t> exit_status(const Context& context, ApplicationMemory& memory) {
  const auto instruction = thumb::fetch(memory, context.pc());
  if (!instruction || instruction->first != kBkptAb) return std::nullopt;
  const std::uint32_t request = context.core[0];
  const std::uint32_t parameter = context.core[1];
  if (request == kSysExit) return parameter == kApplicationExit ? std::uint8_t{0} : kOtherEnd;
  if (request == kSysExitExtended) return extended_status(parameter, memory);
  return std::nullopt;
}

}  // namespace mv::debug::semihosting
