#include "core/debug/semihosting.h"

#include <algorithm>
#include <span>

#include "core/debug/thumb.h"
#include "core/storage/little_endian.h"

namespace mv::debug::semihosting {
namespace {

constexpr std::uint16_t kBkptAb = 0xBEAB;

enum class Request : std::uint32_t {
  kOpen = 0x01,
  kClose = 0x02,
  kWriteC = 0x03,
  kWrite0 = 0x04,
  kWrite = 0x05,
  kIsTty = 0x09,
  kExit = 0x18,
  kExitExtended = 0x20,
};

constexpr std::uint32_t kApplicationExit = 0x20026;  // ADP_Stopped_ApplicationExit
constexpr std::uint8_t kOtherEnd = 1;

constexpr std::string_view kConsoleName = ":tt";
constexpr std::uint32_t kConsoleHandle = 1;  // of what was opened as kConsoleName, in whatever mode
constexpr std::uint32_t kFailed = 0xFFFFFFFF;

std::optional<Request> request_of(const Context& context, ApplicationMemory& memory) {
  const auto instruction = thumb::fetch(memory, context.pc());
  if (!instruction || instruction->first != kBkptAb) return std::nullopt;
  return static_cast<Request>(context.core[0]);
}

// A parameter block; none if it is not the application's memory.
template <std::size_t kWords>
std::optional<std::array<std::uint32_t, kWords>> block_at(std::uint32_t address, ApplicationMemory& memory) {
  std::array<std::uint8_t, 4 * kWords> bytes{};
  if (!memory.read(address, bytes)) return std::nullopt;
  std::array<std::uint32_t, kWords> words{};
  for (std::size_t i = 0; i < kWords; ++i)
    words[i] = storage::load_u32(std::span(bytes).subspan(4 * i).template first<4>());
  return words;
}

// Why, and with which status.
std::uint8_t extended_status(std::uint32_t address, ApplicationMemory& memory) {
  const auto block = block_at<2>(address, memory);
  return block && (*block)[0] == kApplicationExit ? static_cast<std::uint8_t>((*block)[1]) : kOtherEnd;
}

std::optional<char> character_at(std::uint32_t address, ApplicationMemory& memory) {
  std::array<std::uint8_t, 1> byte{};
  if (!memory.read(address, byte)) return std::nullopt;
  return static_cast<char>(byte[0]);
}

// Name, mode, length of the name.
std::uint32_t open(std::uint32_t address, ApplicationMemory& memory) {
  const auto block = block_at<3>(address, memory);
  if (!block || (*block)[2] != kConsoleName.size()) return kFailed;
  for (std::uint32_t i = 0; i < kConsoleName.size(); ++i) {
    if (character_at((*block)[0] + i, memory) != kConsoleName[i]) return kFailed;
  }
  return kConsoleHandle;
}

}  // namespace

std::optional<std::uint8_t> exit_status(const Context& context, ApplicationMemory& memory) {
  const auto request = request_of(context, memory);
  const std::uint32_t parameter = context.core[1];
  if (request == Request::kExit) return parameter == kApplicationExit ? std::uint8_t{0} : kOtherEnd;
  if (request == Request::kExitExtended) return extended_status(parameter, memory);
  return std::nullopt;
}

bool is_text(const Context& context, ApplicationMemory& memory) {
  const auto request = request_of(context, memory);
  return request == Request::kOpen || request == Request::kClose || request == Request::kIsTty ||
         request == Request::kWriteC || request == Request::kWrite0 || request == Request::kWrite;
}

void Output::carry_out(Context& context, ApplicationMemory& memory, bool to_console) {
  std::uint32_t& result = context.core[0];
  const std::uint32_t parameter = context.core[1];
  console_.begin();
  switch (static_cast<Request>(result)) {
    case Request::kOpen:
      result = open(parameter, memory);
      break;
    case Request::kClose:
      result = 0;
      break;
    case Request::kIsTty:
      result = 1;
      break;
    case Request::kWriteC:
      if (const auto character = character_at(parameter, memory)) put(*character);
      break;
    case Request::kWrite0:
      write_string(parameter, memory);
      break;
    case Request::kWrite:
      result = write(parameter, memory);
      break;
    default:
      break;
  }
  if (to_console) console_.end();
}

// Handle, address, length. Returns how many bytes are left; whichever handle it is, it was opened as the console.
std::uint32_t Output::write(std::uint32_t block_address, ApplicationMemory& memory) {
  const auto block = block_at<3>(block_address, memory);
  if (!block) return kFailed;
  const auto [handle, address, length] = *block;
  std::uint32_t done = 0;
  for (; done < std::min(length, kLongestText); ++done) {
    const auto character = character_at(address + done, memory);
    if (!character) break;
    put(*character);
  }
  return length - done;
}

void Output::write_string(std::uint32_t address, ApplicationMemory& memory) {
  for (std::uint32_t i = 0; i < kLongestText; ++i) {
    const auto character = character_at(address + i, memory);
    if (!character || *character == '\0') return;
    put(*character);
  }
}

void Output::put(char character) {
  console_.put(character);
  if (character == '\n') return end_line();
  if (character == '\r') return;
  if (used_ == line_.size()) end_line();
  line_[used_++] = character;
}

void Output::end_line() {
  if (log_ != nullptr && used_ != 0) log_->application_wrote({line_.data(), used_});
  used_ = 0;
}

}  // namespace mv::debug::semihosting
