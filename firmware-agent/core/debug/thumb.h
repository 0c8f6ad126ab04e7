// Fields of Thumb-2 instructions that matter for stepping (ARM DDI 0553B, C2.3 and C2.4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/platform/debug_unit.h"

namespace mv::debug::thumb {

struct Instruction {
  std::uint16_t first = 0;
  std::uint16_t second = 0;  // of a 32-bit instruction
  std::uint32_t size = 2;    // bytes
};

// None if it is not readable.
std::optional<Instruction> fetch(ApplicationMemory& memory, std::uint32_t address);

// IT[7:0] as it is spread over xPSR[26:25,15:10].
std::uint32_t it_state(std::uint32_t xpsr);
std::uint32_t with_it_state(std::uint32_t xpsr, std::uint32_t state);

// Whether a condition code (0 to 15) holds with these flags.
bool passes(std::uint32_t condition, std::uint32_t xpsr);

// Whether the next instruction is executed: true outside IT blocks.
bool it_passes(std::uint32_t xpsr);

// WFI and WFE, 16 or 32 bits wide.
bool is_wait(const Instruction& instruction);

// B, BL, conditional or not, with the target in the instruction.
struct DirectBranch {
  std::uint32_t target = 0;
  std::optional<std::uint32_t> condition;
  bool links = false;
};
std::optional<DirectBranch> direct_branch(const Instruction& instruction, std::uint32_t pc);

// Target of a CBZ or CBNZ.
std::uint32_t compare_branch_target(std::uint16_t code, std::uint32_t pc);

// Any branch with its target in the instruction, CBZ and CBNZ included.
std::optional<DirectBranch> any_direct_branch(const Instruction& instruction, std::uint32_t pc);

// LDR pc, in all its addressing forms.
struct LoadToPc {
  std::size_t base = 0;
  std::size_t index = 0;
  std::uint32_t shift = 0;
  std::uint32_t offset = 0;  // two's complement
  bool by_register = false;
  bool pre_indexed = true;  // false: the address is the base alone
  bool writes_back = false;
};
std::optional<LoadToPc> load_to_pc(const Instruction& instruction);

bool is_load_exclusive(const Instruction& instruction);

// STREX and its kin, or CLREX.
bool ends_exclusive(const Instruction& instruction);

}  // namespace mv::debug::thumb
