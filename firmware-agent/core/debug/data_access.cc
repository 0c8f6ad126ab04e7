#include "core/debug/data_access.h"

#include <bit>

namespace mv::debug {
namespace {

constexpr std::uint8_t kSp = 13;
constexpr std::uint8_t kLr = 14;
constexpr std::uint8_t kPc = 15;

constexpr std::uint32_t bits(std::uint32_t value, unsigned high, unsigned low) {
  return (value >> low) & ((1U << (high - low + 1)) - 1);
}
constexpr bool bit(std::uint32_t value, unsigned at) { return (value >> at & 1U) != 0; }

class Accesses {
 public:
  Accesses(const Context& context, const thumb::Instruction& instruction)
      : context_(context), first_(instruction.first), second_(instruction.second) {}

  std::optional<DataAccess> narrow() const;
  std::optional<DataAccess> wide() const;

 private:
  // As the base of an address: pc reads as the next word's address (ARM DDI 0553B, Align(PC, 4)).
  std::uint32_t base(std::size_t number) const {
    return number == kPc ? (context_.pc() + 4) & ~3U : context_.core[number];
  }

  static DataAccess load(std::uint32_t address, std::uint32_t size) { return {.address = address, .size = size}; }
  static DataAccess one(bool loads, std::uint32_t address, std::uint32_t size, std::uint32_t source);
  static std::optional<DataAccess> listed(bool loads, std::uint32_t address, std::uint32_t list);

  std::optional<DataAccess> narrow_by_register() const;
  std::optional<DataAccess> narrow_by_offset(std::uint32_t size, bool loads) const;
  std::optional<DataAccess> multiple() const;
  std::optional<DataAccess> pair() const;
  std::optional<DataAccess> exclusive() const;
  std::optional<DataAccess> single() const;
  std::optional<DataAccess> floating() const;

  const Context& context_;
  const std::uint32_t first_;
  const std::uint32_t second_;
};

DataAccess Accesses::one(bool loads, std::uint32_t address, std::uint32_t size, std::uint32_t source) {
  DataAccess access{.address = address, .size = size, .writes = !loads, .unit = size};
  if (!loads) access.sources[access.source_count++] = static_cast<std::uint8_t>(source);
  return access;
}

// A list of no registers is UNPREDICTABLE (ARM DDI 0553B, LDM, STM, POP, PUSH); it names no access.
std::optional<DataAccess> Accesses::listed(bool loads, std::uint32_t address, std::uint32_t list) {
  if (list == 0) return std::nullopt;
  DataAccess access{.address = address, .size = 4 * static_cast<std::uint32_t>(std::popcount(list)), .writes = !loads};
  for (std::uint8_t number = 0; number < 16 && !loads; ++number) {
    if (bit(list, number)) access.sources[access.source_count++] = number;
  }
  return access;
}

std::optional<DataAccess> Accesses::narrow() const {
  const std::size_t middle = bits(first_, 10, 8);
  const bool loads = bit(first_, 11);
  switch (first_ >> 12) {
    case 0x4:
      if (!loads) return std::nullopt;
      return load(base(kPc) + 4 * bits(first_, 7, 0), 4);  // LDR Rt, label
    case 0x5:
      return narrow_by_register();
    case 0x6:
      return narrow_by_offset(4, loads);
    case 0x7:
      return narrow_by_offset(1, loads);
    case 0x8:
      return narrow_by_offset(2, loads);
    case 0x9:
      return one(loads, context_.core[kSp] + 4 * bits(first_, 7, 0), 4, static_cast<std::uint32_t>(middle));
    case 0xB: {
      const std::uint32_t sp = context_.core[kSp];
      if ((first_ & 0xFE00U) == 0xBC00U) {  // POP
        return listed(true, sp, bits(first_, 7, 0) | bits(first_, 8, 8) << kPc);
      }
      if ((first_ & 0xFE00U) != 0xB400U) return std::nullopt;
      const std::uint32_t list = bits(first_, 7, 0) | bits(first_, 8, 8) << kLr;  // PUSH
      return listed(false, sp - 4 * static_cast<std::uint32_t>(std::popcount(list)), list);
    }
    case 0xC:
      return listed(loads, base(middle), bits(first_, 7, 0));
    default:
      return std::nullopt;
  }
}

// STR, STRH, STRB, LDRSB, LDR, LDRH, LDRB, LDRSH with a register as the offset.
std::optional<DataAccess> Accesses::narrow_by_register() const {
  constexpr std::array<std::uint8_t, 8> kSizes = {4, 2, 1, 1, 4, 2, 1, 2};
  const std::uint32_t operation = bits(first_, 11, 9);
  const std::uint32_t address = base(bits(first_, 5, 3)) + base(bits(first_, 8, 6));
  return one(operation >= 3, address, kSizes[operation], bits(first_, 2, 0));
}

std::optional<DataAccess> Accesses::narrow_by_offset(std::uint32_t size, bool loads) const {
  return one(loads, base(bits(first_, 5, 3)) + size * bits(first_, 10, 6), size, bits(first_, 2, 0));
}

std::optional<DataAccess> Accesses::wide() const {
  if ((first_ & 0xFE00U) == 0xF800U) return single();
  if ((first_ & 0xFE00U) == 0xEC00U) return floating();
  if ((first_ & 0xFE40U) == 0xE800U) return multiple();
  if ((first_ & 0xFE40U) != 0xE840U) return std::nullopt;
  return (first_ & 0x0120U) == 0 ? exclusive() : pair();
}

std::optional<DataAccess> Accesses::multiple() const {
  const std::uint32_t order = bits(first_, 8, 7);
  if (order == 0 || order == 3) return std::nullopt;
  const std::uint32_t from = base(bits(first_, 3, 0));
  const auto size = 4 * static_cast<std::uint32_t>(std::popcount(second_));
  return listed(bit(first_, 4), order == 1 ? from : from - size, second_);
}

// LDRD, STRD
std::optional<DataAccess> Accesses::pair() const {
  if (first_ == 0xE97FU && second_ == 0xE97FU) return std::nullopt;  // SG
  const std::uint32_t offset = 4 * bits(second_, 7, 0);
  const std::uint32_t from = base(bits(first_, 3, 0));
  const std::uint32_t moved = bit(first_, 7) ? from + offset : from - offset;
  DataAccess access = load(bit(first_, 8) ? moved : from, 8);
  if (bit(first_, 4)) return access;
  access.writes = true;
  access.sources = {static_cast<std::uint8_t>(bits(second_, 15, 12)), static_cast<std::uint8_t>(bits(second_, 11, 8))};
  access.source_count = 2;
  return access;
}

// LDREX, STREX, LDA, STL and their kin; TBB and TBH.
std::optional<DataAccess> Accesses::exclusive() const {
  const std::uint32_t from = base(bits(first_, 3, 0));
  const bool loads = bit(first_, 4);
  if (!bit(first_, 7)) {                                              // LDREX, STREX of a word
    if (!loads && bits(second_, 15, 12) == 0xF) return std::nullopt;  // TT
    DataAccess access = load(from + 4 * bits(second_, 7, 0), 4);
    access.writes = !loads;
    return access;
  }
  const std::uint32_t operation = bits(second_, 7, 4);
  if (operation < 2) {
    if (!loads) return std::nullopt;
    const std::uint32_t table = bits(first_, 3, 0) == kPc ? context_.pc() + 4 : from;  // need not be a word's address
    const std::uint32_t index = context_.core[bits(second_, 3, 0)];
    return operation == 0 ? load(table + index, 1) : load(table + 2 * index, 2);
  }
  if (operation == 2 || operation == 3 || (operation & 3U) == 3) return std::nullopt;
  const std::uint32_t size = 1U << (operation & 3U);
  if ((operation & 0xCU) == 0x8U) return one(loads, from, size, bits(second_, 15, 12));  // LDA, STL
  DataAccess access = load(from, size);
  access.writes = !loads;
  return access;
}

std::optional<DataAccess> Accesses::single() const {
  const std::size_t number = bits(first_, 3, 0);
  const std::uint32_t size = 1U << bits(first_, 6, 5);
  const std::uint32_t target = bits(second_, 15, 12);
  const bool loads = bit(first_, 4);
  if (size == 8 || (!loads && (bit(first_, 8) || number == kPc))) return std::nullopt;
  if (loads && target == kPc && size != 4) return std::nullopt;  // PLD, PLI: hints
  const std::uint32_t from = base(number);
  std::uint32_t address = from;
  if (number == kPc) {
    address = bit(first_, 7) ? from + bits(second_, 11, 0) : from - bits(second_, 11, 0);
  } else if (bit(first_, 7)) {
    address = from + bits(second_, 11, 0);
  } else if (bit(second_, 11)) {  // P, U, W
    const std::uint32_t offset = bits(second_, 7, 0);
    if (bit(second_, 10)) address = bit(second_, 9) ? from + offset : from - offset;
  } else if (bits(second_, 10, 6) == 0) {
    address = from + (context_.core[bits(second_, 3, 0)] << bits(second_, 5, 4));
  } else {
    return std::nullopt;
  }
  return one(loads, address, size, target);
}

// VLDR, VSTR, VLDM, VSTM, VPUSH, VPOP
std::optional<DataAccess> Accesses::floating() const {
  if ((second_ & 0x0E00U) != 0x0A00U) return std::nullopt;
  const bool pre = bit(first_, 8), up = bit(first_, 7), writes_back = bit(first_, 5), wide = bit(second_, 8);
  const std::uint32_t from = base(bits(first_, 3, 0));
  const std::uint32_t offset = 4 * bits(second_, 7, 0);
  const bool one_register = pre && !writes_back;
  if (!one_register && pre == up) return std::nullopt;  // VMOV of two registers, VLLDM, VLSTM
  DataAccess access = load(one_register || pre ? (up ? from + offset : from - offset) : from, offset);
  if (one_register) access.size = wide ? 8 : 4;
  if (access.size == 0) return std::nullopt;
  if (bit(first_, 4)) return access;
  access.writes = true;
  const std::uint32_t name = bits(second_, 15, 12), extra = bits(first_, 6, 6);
  const std::uint32_t start = wide ? 2 * (extra << 4 | name) : (name << 1 | extra);
  for (std::uint32_t i = 0; 4 * i < access.size && start + i < 32; ++i) {
    access.sources[access.source_count++] = static_cast<std::uint8_t>(DataAccess::kFirstFp + start + i);
  }
  return access;
}

}  // namespace

std::optional<std::uint8_t> DataAccess::stored(std::uint32_t offset, const Context& context) const {
  const std::uint32_t index = offset / unit;
  if (index >= source_count) return std::nullopt;
  const std::uint8_t source = sources[index];
  if (source >= kFirstFp && !context.has_fp) return std::nullopt;
  const std::uint32_t value = source >= kFirstFp ? context.fp[source - kFirstFp] : context.core[source];
  return static_cast<std::uint8_t>(value >> 8 * (offset % unit));
}

std::optional<DataAccess> data_access(const Context& context, const thumb::Instruction& instruction) {
  if (!thumb::it_passes(context.core[16])) return std::nullopt;
  const Accesses accesses(context, instruction);
  return instruction.size == 2 ? accesses.narrow() : accesses.wide();
}

}  // namespace mv::debug
