// Which memory an instruction reads or writes, told before it is executed: for watchpoints.
//
// Pure: looks at registers, changes nothing. ARMv8-M Mainline with the floating-point extension, Thumb-2 (ARM DDI
// 0553B, C2.4); LDC and STC are not there, because no coprocessor is. What an exception entry stacks is no
// instruction's doing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/debug/thumb.h"
#include "core/platform/debug_unit.h"

namespace mv::debug {

// One access: every instruction makes at most one, to bytes in a row.
struct DataAccess {
  std::uint32_t address = 0;
  std::uint32_t size = 0;  // bytes, at least 1
  bool writes = false;

  // Of a write whose outcome is sure: which registers are stored, `unit` bytes each, from `address` upwards. 0 to 14
  // are the core's, kFirstFp + n is s<n>. None for STREX, which may store nothing.
  static constexpr std::uint8_t kFirstFp = 16;
  std::array<std::uint8_t, 32> sources{};
  std::size_t source_count = 0;
  std::uint32_t unit = 4;

  // The byte that will be stored at address + offset; none if that cannot be told.
  std::optional<std::uint8_t> stored(std::uint32_t offset, const Context& context) const;
};

// None if the instruction at pc touches no data: also if it is one of an IT block that is not executed.
std::optional<DataAccess> data_access(const Context& context, const thumb::Instruction& instruction);

}  // namespace mv::debug
