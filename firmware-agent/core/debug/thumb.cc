#include "core/debug/thumb.h"

#include <array>

namespace mv::debug::thumb {
namespace {

constexpr std::uint32_t sign_extend(std::uint32_t value, unsigned bits) {
  const std::uint32_t sign = 1U << (bits - 1);
  return (value ^ sign) - sign;
}

constexpr std::uint32_t bits(std::uint32_t value, unsigned high, unsigned low) {
  return (value >> low) & ((1U << (high - low + 1)) - 1);
}

// B.W (T4) and BL share this spread of their offset: S:I1:I2:imm10:imm11:0.
std::uint32_t long_offset(const Instruction& instruction) {
  const std::uint32_t s = bits(instruction.first, 10, 10);
  const std::uint32_t i1 = 1U ^ bits(instruction.second, 13, 13) ^ s;
  const std::uint32_t i2 = 1U ^ bits(instruction.second, 11, 11) ^ s;
  const std::uint32_t offset =
      s << 24 | i1 << 23 | i2 << 22 | bits(instruction.first, 9, 0) << 12 | bits(instruction.second, 10, 0) << 1;
  return sign_extend(offset, 25);
}

// B<c>.W (T3): S:J2:J1:imm6:imm11:0.
std::uint32_t conditional_offset(const Instruction& instruction) {
  const std::uint32_t offset = bits(instruction.first, 10, 10) << 20 | bits(instruction.second, 11, 11) << 19 |
                               bits(instruction.second, 13, 13) << 18 | bits(instruction.first, 5, 0) << 12 |
                               bits(instruction.second, 10, 0) << 1;
  return sign_extend(offset, 21);
}

std::optional<DirectBranch> narrow_branch(std::uint16_t code, std::uint32_t pc) {
  if ((code & 0xF800U) == 0xE000U) return DirectBranch{pc + 4 + sign_extend(bits(code, 10, 0) << 1, 12), {}, false};
  const std::uint32_t condition = bits(code, 11, 8);
  if ((code & 0xF000U) != 0xD000U || condition >= 14) return std::nullopt;  // 14: UDF, 15: SVC
  return DirectBranch{pc + 4 + sign_extend(bits(code, 7, 0) << 1, 9), condition, false};
}

std::optional<DirectBranch> wide_branch(const Instruction& instruction, std::uint32_t pc) {
  if ((instruction.first & 0xF800U) != 0xF000U || (instruction.second & 0x8000U) == 0) return std::nullopt;
  switch (instruction.second & 0x5000U) {
    case 0x1000:
      return DirectBranch{pc + 4 + long_offset(instruction), {}, false};
    case 0x5000:
      return DirectBranch{pc + 4 + long_offset(instruction), {}, true};
    case 0x0000: {
      const std::uint32_t condition = bits(instruction.first, 9, 6);
      if (condition >= 14) return std::nullopt;  // MSR, MRS, hints, barriers, UDF
      return DirectBranch{pc + 4 + conditional_offset(instruction), condition, false};
    }
    default:
      return std::nullopt;
  }
}

bool is_exclusive_group(const Instruction& instruction, std::uint32_t narrow_group) {
  if ((instruction.first & 0xFFF0U) != narrow_group) return false;
  switch (bits(instruction.second, 7, 4)) {
    case 0x4:
    case 0x5:
    case 0x7:  // byte, halfword, doubleword
    case 0xC:
    case 0xD:
    case 0xE:  // with acquire or release
      return true;
    default:
      return false;
  }
}

}  // namespace

std::optional<Instruction> fetch(ApplicationMemory& memory, std::uint32_t address) {
  std::array<std::uint8_t, 2> bytes{};
  if (!memory.read(address, bytes)) return std::nullopt;
  Instruction instruction;
  instruction.first = static_cast<std::uint16_t>(bytes[0] | bytes[1] << 8);
  if ((instruction.first >> 11) < 0x1D) return instruction;
  if (!memory.read(address + 2, bytes)) return std::nullopt;
  instruction.second = static_cast<std::uint16_t>(bytes[0] | bytes[1] << 8);
  instruction.size = 4;
  return instruction;
}

std::uint32_t it_state(std::uint32_t xpsr) { return bits(xpsr, 15, 10) << 2 | bits(xpsr, 26, 25); }

std::uint32_t with_it_state(std::uint32_t xpsr, std::uint32_t state) {
  return (xpsr & ~0x0600FC00U) | bits(state, 7, 2) << 10 | bits(state, 1, 0) << 25;
}

bool passes(std::uint32_t condition, std::uint32_t xpsr) {
  const bool n = bits(xpsr, 31, 31) != 0;
  const bool z = bits(xpsr, 30, 30) != 0;
  const bool c = bits(xpsr, 29, 29) != 0;
  const bool v = bits(xpsr, 28, 28) != 0;
  const std::array<bool, 8> holds = {z, c, n, v, c && !z, n == v, n == v && !z, true};
  const bool inverted = (condition & 1U) != 0 && condition != 15;
  return holds[(condition >> 1) & 7U] != inverted;
}

bool it_passes(std::uint32_t xpsr) {
  const std::uint32_t it = it_state(xpsr);
  return (it & 0xFU) == 0 || passes(it >> 4, xpsr);
}

bool is_wait(const Instruction& instruction) {
  if (instruction.size == 2) return instruction.first == 0xBF20 || instruction.first == 0xBF30;
  return instruction.first == 0xF3AF && (instruction.second == 0x8002 || instruction.second == 0x8003);
}

std::optional<DirectBranch> direct_branch(const Instruction& instruction, std::uint32_t pc) {
  return instruction.size == 2 ? narrow_branch(instruction.first, pc) : wide_branch(instruction, pc);
}

std::uint32_t compare_branch_target(std::uint16_t code, std::uint32_t pc) {
  return pc + 4 + (bits(code, 9, 9) << 6 | bits(code, 7, 3) << 1);
}

std::optional<DirectBranch> any_direct_branch(const Instruction& instruction, std::uint32_t pc) {
  if (instruction.size == 2 && (instruction.first & 0xF500U) == 0xB100U) {
    return DirectBranch{compare_branch_target(instruction.first, pc), {}, false};
  }
  return direct_branch(instruction, pc);
}

std::optional<LoadToPc> load_to_pc(const Instruction& instruction) {
  if (instruction.size != 4 || (instruction.second & 0xF000U) != 0xF000U) return std::nullopt;
  LoadToPc load{.base = instruction.first & 0xFU};
  const std::uint32_t code = instruction.second;
  if ((instruction.first & 0xFF7FU) == 0xF85FU) {  // literal
    load.offset = (instruction.first & 0x80U) != 0 ? bits(code, 11, 0) : 0U - bits(code, 11, 0);
    return load;
  }
  if ((instruction.first & 0xFFF0U) == 0xF8D0U) {  // [Rn, #imm12]
    load.offset = bits(code, 11, 0);
    return load;
  }
  if ((instruction.first & 0xFFF0U) != 0xF850U) return std::nullopt;
  if ((code & 0x0800U) != 0) {  // [Rn, #+/-imm8]!, [Rn, #-imm8], [Rn], #+/-imm8
    load.offset = (code & 0x200U) != 0 ? bits(code, 7, 0) : 0U - bits(code, 7, 0);
    load.pre_indexed = (code & 0x400U) != 0;
    load.writes_back = (code & 0x100U) != 0;
    return load;
  }
  if ((code & 0x07C0U) != 0) return std::nullopt;
  load.by_register = true;
  load.index = code & 0xFU;
  load.shift = bits(code, 5, 4);
  return load;
}

bool is_load_exclusive(const Instruction& instruction) {
  if (instruction.size != 4) return false;
  return (instruction.first & 0xFFF0U) == 0xE850U || is_exclusive_group(instruction, 0xE8D0U);
}

bool ends_exclusive(const Instruction& instruction) {
  if (instruction.size != 4) return false;
  if (instruction.first == 0xF3BF && instruction.second == 0x8F2F) return true;                              // CLREX
  const bool strex = (instruction.first & 0xFFF0U) == 0xE840U && (instruction.second & 0xF000U) != 0xF000U;  // not TT
  return strex || is_exclusive_group(instruction, 0xE8C0U);
}

}  // namespace mv::debug::thumb
