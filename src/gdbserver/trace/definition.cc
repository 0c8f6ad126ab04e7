#include "gdbserver/trace/definition.h"

#include <numeric>
#include <optional>
#include <utility>

#include "gdbserver/arm/registers.h"

namespace mv::gdb {
namespace {

constexpr std::uint8_t kAdd = 0x02, kTrace = 0x0C, kConst32 = 0x24, kReg = 0x26, kEnd = 0x27;  // of agent expressions

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

void append(rsp::Bytes& code, std::uint8_t opcode, std::uint32_t operand) {
  code.push_back(opcode);
  for (int shift = 24; shift >= 0; shift -= 8) code.push_back(static_cast<std::uint8_t>(operand >> shift));
}

// X length,bytes
std::optional<rsp::Bytes> take_expression(std::string_view& text) {
  const auto size = rsp::take_hex(text);
  if (!size || *size == 0 || !take(text, ",") || text.size() / 2 < *size) return std::nullopt;
  auto bytes = rsp::from_hex(text.substr(0, 2 * *size));
  text.remove_prefix(2 * *size);
  return bytes;
}

// R mask: a number of any length, bit n for register n.
bool take_registers(std::string_view& text, std::set<std::uint8_t>& registers) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789abcdefABCDEF"), text.size());
  for (std::size_t i = 0; i < digits; ++i) {
    std::string_view digit = text.substr(digits - 1 - i, 1);
    const std::uint64_t bits = *rsp::take_hex(digit);
    for (std::size_t bit = 0; bit < 4; ++bit) {
      if ((bits >> bit & 1U) == 0) continue;
      const std::size_t number = 4 * i + bit;
      if (number >= arm::kRegisterCount) return false;
      registers.insert(static_cast<std::uint8_t>(number));
    }
  }
  text.remove_prefix(digits);
  return digits != 0;
}

// M register,offset,length: memory from an offset to a register on, or at an address if the register is -1. As an
// expression it is nothing special to the device.
std::optional<rsp::Bytes> take_range(std::string_view& text) {
  const bool absolute = take(text, "-1");
  const auto base = absolute ? std::optional<std::uint64_t>(0) : rsp::take_hex(text);
  if (!base || *base >= arm::kRegisterCount || !take(text, ",")) return std::nullopt;
  const auto offset = rsp::take_hex(text);
  if (!offset || !take(text, ",")) return std::nullopt;
  const auto length = rsp::take_hex(text);
  if (!length || *length > 0xFFFF) return std::nullopt;
  rsp::Bytes code;
  append(code, kConst32, static_cast<std::uint32_t>(*offset));
  if (!absolute) code.insert(code.end(), {kReg, 0, static_cast<std::uint8_t>(*base), kAdd});
  append(code, kConst32, static_cast<std::uint32_t>(*length));
  code.insert(code.end(), {kTrace, kEnd});
  return code;
}

}  // namespace

std::size_t Tracepoint::bytes() const {
  return std::accumulate(collect.begin(), collect.end(), condition.size() + registers.size(),
                         [](std::size_t sum, const rsp::Bytes& code) { return sum + code.size(); });
}

// n:addr:ena:step:pass[:Xlen,bytes][-]  defines, -n:addr:actions[-]  adds actions. The dash says that more follows.
bool TraceDefinition::add(std::string_view arguments) {
  const bool defines = !take(arguments, "-");
  if (!rsp::take_hex(arguments) || !take(arguments, ":")) return false;
  const auto address = rsp::take_hex(arguments);
  if (!address || *address > UINT32_MAX || !take(arguments, ":")) return false;
  Tracepoint& point = points_[static_cast<std::uint32_t>(*address) & ~1U];
  if (defines) {
    point = {};
    const std::size_t option = arguments.find(":X");
    if (option == std::string_view::npos) return true;
    arguments.remove_prefix(option + 2);
    auto condition = take_expression(arguments);
    if (condition) point.condition = std::move(*condition);
    return condition.has_value();
  }
  while (!arguments.empty() && arguments != "-") {
    if (!add_action(point, arguments)) return false;
  }
  return true;
}

bool TraceDefinition::add_action(Tracepoint& point, std::string_view& text) {
  if (take(text, "R")) return take_registers(text, point.registers);
  auto code = take(text, "M") ? take_range(text) : take(text, "X") ? take_expression(text) : std::nullopt;
  if (!code) return false;
  point.collect.push_back(std::move(*code));
  return true;
}

}  // namespace mv::gdb
