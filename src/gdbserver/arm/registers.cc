#include "gdbserver/arm/registers.h"

#include <fmt/format.h>

#include "gdbserver/rsp/hex.h"

namespace mv::gdb::arm {
namespace {

constexpr std::array<std::string_view, kSystemCount> kSystemNames = {"msp",       "psp",     "primask", "basepri",
                                                                     "faultmask", "control", "msplim",  "psplim"};
constexpr std::uint32_t kSpecialPurpose = 2;  // msp and psp are data pointers, the rest plain numbers

// The words of the file that register `number` consists of; empty if there is no such register.
std::vector<std::uint32_t*> words_of(RegisterFile& file, std::uint32_t number) {
  if (number < kFirstDouble) return {&file.core[number]};
  if (number < kFpscr) {
    const std::size_t low = std::size_t{2} * (number - kFirstDouble);
    return {&file.fp[low], &file.fp[low + 1]};
  }
  if (number == kFpscr) return {&file.fp.back()};
  if (number < kRegisterCount) return {&file.system[number - kFirstSystem]};
  return {};
}

bool available(const RegisterFile& file, std::uint32_t number) {
  // GDB gives up a stop that has no pc at all.
  if (number < kFirstDouble) return file.core_valid || number == kSp || number == kPc;
  if (number <= kFpscr) return file.has_fp;
  return file.has_system;
}

// Which of msp and psp sp is: CONTROL.SPSEL counts in Thread mode only (ARM DDI 0553B, B3.8).
std::size_t stack_in_use(const RegisterFile& file) {
  constexpr std::uint32_t kXpsr = 16, kIpsr = 0x1FF, kControl = 5, kSpsel = 2;
  return (file.core[kXpsr] & kIpsr) == 0 && (file.system[kControl] & kSpsel) != 0 ? 1 : 0;
}

void append_word(std::vector<std::uint8_t>& out, std::uint32_t word) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::uint8_t>(word >> shift));
}

std::uint32_t word_at(const std::vector<std::uint8_t>& bytes, std::size_t at) {
  return static_cast<std::uint32_t>(bytes[at]) | static_cast<std::uint32_t>(bytes[at + 1]) << 8 |
         static_cast<std::uint32_t>(bytes[at + 2]) << 16 | static_cast<std::uint32_t>(bytes[at + 3]) << 24;
}

std::string core_feature() {
  std::string xml = "<feature name=\"org.gnu.gdb.arm.m-profile\">\n";
  for (int i = 0; i <= 12; ++i) xml += fmt::format("<reg name=\"r{}\" bitsize=\"32\"/>\n", i);
  xml +=
      "<reg name=\"sp\" bitsize=\"32\" type=\"data_ptr\"/>\n<reg name=\"lr\" bitsize=\"32\"/>\n"
      "<reg name=\"pc\" bitsize=\"32\" type=\"code_ptr\"/>\n<reg name=\"xpsr\" bitsize=\"32\"/>\n</feature>\n";
  return xml;
}

std::string fp_feature() {
  std::string xml = "<feature name=\"org.gnu.gdb.arm.vfp\">\n";
  for (std::uint32_t i = 0; i < kDoubleCount; ++i)
    xml += fmt::format("<reg name=\"d{}\" bitsize=\"64\" type=\"ieee_double\"/>\n", i);
  return xml + "<reg name=\"fpscr\" bitsize=\"32\" type=\"int\" group=\"float\"/>\n</feature>\n";
}

std::string system_feature() {
  std::string xml = "<feature name=\"org.gnu.gdb.arm.m-system\">\n";
  for (std::uint32_t i = 0; i < kSystemCount; ++i) {
    xml += fmt::format("<reg name=\"{}\" bitsize=\"32\" type=\"{}\" group=\"system\"/>\n", kSystemNames[i],
                       i < kSpecialPurpose ? "data_ptr" : "int");
  }
  return xml + "</feature>\n";
}

}  // namespace

std::uint32_t active_exception(const RegisterFile& file) {
  constexpr std::size_t kXpsr = 16;
  return file.core_valid ? file.core[kXpsr] & 0x1ff : 0;
}

std::optional<std::size_t> register_size(std::uint32_t number) {
  if (number >= kRegisterCount) return std::nullopt;
  return number >= kFirstDouble && number < kFpscr ? 8 : 4;
}

std::optional<std::vector<std::uint8_t>> read_register(const RegisterFile& file, std::uint32_t number) {
  if (!register_size(number) || !available(file, number)) return std::nullopt;
  RegisterFile copy = file;
  std::vector<std::uint8_t> out;
  for (const std::uint32_t* word : words_of(copy, number)) append_word(out, *word);
  return out;
}

bool write_register(RegisterFile& file, std::uint32_t number, const std::vector<std::uint8_t>& bytes) {
  const auto size = register_size(number);
  if (!size || bytes.size() != *size || !available(file, number)) return false;
  std::size_t at = 0;
  for (std::uint32_t* word : words_of(file, number)) {
    *word = word_at(bytes, at);
    at += 4;
  }
  const std::size_t in_use = stack_in_use(file);
  if (number == kSp) file.system[in_use] = file.core[kSp];
  if (number == kFirstSystem + in_use) file.core[kSp] = file.system[in_use];
  return true;
}

std::string register_hex(const RegisterFile& file, std::uint32_t number) {
  const auto bytes = read_register(file, number);
  if (bytes) return rsp::to_hex(std::span<const std::uint8_t>(*bytes));
  return std::string(2 * register_size(number).value_or(0), 'x');
}

std::string all_registers_hex(const RegisterFile& file) {
  std::string out;
  const std::uint32_t count = file.has_system ? kRegisterCount : kFirstSystem;  // as the description has them
  for (std::uint32_t number = 0; number < count; ++number) out += register_hex(file, number);
  return out;
}

bool write_all_registers(RegisterFile& file, const std::vector<std::uint8_t>& bytes) {
  RegisterFile changed = file;
  std::size_t at = 0;
  for (std::uint32_t number = 0; number < kRegisterCount && at < bytes.size(); ++number) {
    const std::size_t size = *register_size(number);
    if (bytes.size() - at < size) return false;
    const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    // What is unavailable came back as GDB's filler: there is nothing to write.
    if (available(file, number))
      write_register(changed, number, std::vector<std::uint8_t>(first, first + static_cast<std::ptrdiff_t>(size)));
    at += size;
  }
  if (at != bytes.size()) return false;
  file = changed;
  return true;
}

std::string target_description(bool with_system) {
  return "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
         "<target version=\"1.0\">\n<architecture>arm</architecture>\n" +
         core_feature() + fp_feature() + (with_system ? system_feature() : "") + "</target>\n";
}

}  // namespace mv::gdb::arm
