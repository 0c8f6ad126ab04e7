#include "gdbserver/rtos/saved_frame.h"

namespace mv::gdb::rtos {
namespace {

// In arm::RegisterFile::system.
constexpr std::size_t kPsp = 1;
constexpr std::size_t kControl = 5;
constexpr std::size_t kPspLim = 7;

constexpr std::uint32_t kBasicWords = 8;      // r0-r3, r12, lr, pc, xpsr
constexpr std::uint32_t kExtendedWords = 26;  // and s0-s15, fpscr, one unused
constexpr std::uint32_t kAligned = 1U << 9;   // in the pushed xpsr: one more word was left out to align the stack
constexpr std::uint32_t kUsesPsp = 1U << 1;
constexpr std::uint32_t kFpActive = 1U << 2;

std::uint32_t word_at(const std::vector<std::uint8_t>& bytes, std::size_t word) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= static_cast<std::uint32_t>(bytes[4 * word + i]) << (8 * i);
  return value;
}

}  // namespace

arm::RegisterFile only_stack_pointer(std::uint32_t stack_pointer, const arm::RegisterFile& live) {
  arm::RegisterFile file;
  file.system = live.system;
  file.system[kPsp] = stack_pointer;
  file.core[arm::kSp] = stack_pointer;
  file.core_valid = false;
  return file;
}

std::optional<arm::RegisterFile> unstack(const SavedFrame& frame, Memory& memory, const arm::RegisterFile& live) {
  constexpr std::size_t kPushed[kBasicWords] = {0, 1, 2, 3, 12, 14, 15, 16};
  const bool fp = has_fp_frame(frame.exc_return);
  const std::uint32_t words = fp ? kExtendedWords : kBasicWords;
  const auto pushed = memory.bytes(frame.exception_frame, 4 * words);
  const auto saved = memory.bytes(frame.callee_saved, 4 * 8);
  const auto saved_fp = fp && frame.callee_saved_fp ? memory.bytes(*frame.callee_saved_fp, 4 * 16) : std::nullopt;
  if (!pushed || !saved || (fp && frame.callee_saved_fp && !saved_fp)) return std::nullopt;

  arm::RegisterFile file;
  file.system = live.system;
  for (std::size_t i = 0; i < kBasicWords; ++i) file.core[kPushed[i]] = word_at(*pushed, i);
  for (std::size_t i = 0; i < 8; ++i) file.core[4 + i] = word_at(*saved, i);
  std::uint32_t& xpsr = file.core[16];
  const std::uint32_t sp = frame.exception_frame + 4 * words + ((xpsr & kAligned) != 0 ? 4 : 0);
  xpsr &= ~kAligned;
  file.core[arm::kPc] &= ~1U;
  file.core[arm::kSp] = sp;
  file.system[kPsp] = sp;
  file.system[kControl] = kUsesPsp | (fp ? kFpActive : 0);
  if (frame.stack_limit) file.system[kPspLim] = *frame.stack_limit;
  if (saved_fp) {
    file.has_fp = true;
    for (std::size_t i = 0; i < 16; ++i) file.fp[i] = word_at(*pushed, kBasicWords + i);
    for (std::size_t i = 0; i < 16; ++i) file.fp[16 + i] = word_at(*saved_fp, i);
    file.fp[32] = word_at(*pushed, kBasicWords + 16);
  }
  return file;
}

}  // namespace mv::gdb::rtos
