#include "usb/option_bytes.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>

namespace mv::usb {
namespace {

// Bits `low` to `low + width - 1` of the register at `offset` from FLASH_OPTR. An address holds its bits 31 to 7 in
// place.
struct Field {
  std::string_view name;
  std::uint8_t offset;
  std::uint8_t low;
  std::uint8_t width;
  bool is_address = false;

  std::uint32_t mask() const { return width == 32 ? ~0U : ((1U << width) - 1) << low; }
};

constexpr Field kFields[] = {
    // FLASH_OPTR
    {"RDP", 0x00, 0, 8},
    {"BOR_LEV", 0x00, 8, 3},
    {"NRST_STOP", 0x00, 12, 1},
    {"NRST_STDBY", 0x00, 13, 1},
    {"NRST_SHDW", 0x00, 14, 1},
    {"SRAM_RST", 0x00, 15, 1},
    {"IWDG_SW", 0x00, 16, 1},
    {"IWDG_STOP", 0x00, 17, 1},
    {"IWDG_STDBY", 0x00, 18, 1},
    {"WWDG_SW", 0x00, 19, 1},
    {"SWAP_BANK", 0x00, 20, 1},
    {"DUALBANK", 0x00, 21, 1},
    {"BKPRAM_ECC", 0x00, 22, 1},
    {"SRAM3_ECC", 0x00, 23, 1},
    {"SRAM2_ECC", 0x00, 24, 1},
    {"SRAM2_RST", 0x00, 25, 1},
    {"NSWBOOT0", 0x00, 26, 1},
    {"NBOOT0", 0x00, 27, 1},
    {"PA15_PUPEN", 0x00, 28, 1},
    {"IO_VDD_HSLV", 0x00, 29, 1},
    {"IO_VDDIO2_HSLV", 0x00, 30, 1},
    {"TZEN", 0x00, 31, 1},
    // Boot addresses
    {"NSBOOTADD0", 0x04, 7, 25, true},
    {"NSBOOTADD1", 0x08, 7, 25, true},
    {"SECBOOTADD0", 0x0C, 7, 25, true},
    {"BOOT_LOCK", 0x0C, 0, 1},
    // Secure and hidden areas and write protection of bank 1, then of bank 2; pages of 8 KiB
    {"SECWM1_PSTRT", 0x10, 0, 7},
    {"SECWM1_PEND", 0x10, 16, 7},
    {"HDP1_PEND", 0x14, 16, 7},
    {"HDP1EN", 0x14, 31, 1},
    {"WRP1A_PSTRT", 0x18, 0, 7},
    {"WRP1A_PEND", 0x18, 16, 7},
    {"WRP1A_UNLOCK", 0x18, 31, 1},
    {"WRP1B_PSTRT", 0x1C, 0, 7},
    {"WRP1B_PEND", 0x1C, 16, 7},
    {"WRP1B_UNLOCK", 0x1C, 31, 1},
    {"SECWM2_PSTRT", 0x20, 0, 7},
    {"SECWM2_PEND", 0x20, 16, 7},
    {"HDP2_PEND", 0x24, 16, 7},
    {"HDP2EN", 0x24, 31, 1},
    {"WRP2A_PSTRT", 0x28, 0, 7},
    {"WRP2A_PEND", 0x28, 16, 7},
    {"WRP2A_UNLOCK", 0x28, 31, 1},
    {"WRP2B_PSTRT", 0x2C, 0, 7},
    {"WRP2B_PEND", 0x2C, 16, 7},
    {"WRP2B_UNLOCK", 0x2C, 31, 1},
};

constexpr std::uint32_t kPagesOfABank = 128;
constexpr std::uint32_t kRdpLevel2 = 0xCC;

const Field* find_field(std::string_view name) {
  const auto* found = std::ranges::find(kFields, name, &Field::name);
  return found == std::end(kFields) ? nullptr : found;
}

std::uint32_t word_at(std::span<const std::uint8_t> bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | bytes[at + i];
  return value;
}

std::uint32_t value_of(const Field& field, std::uint32_t word) {
  return field.is_address ? word & field.mask() : (word & field.mask()) >> field.low;
}

std::optional<std::uint32_t> parse_number(std::string_view text) {
  const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  if (hexadecimal) text.remove_prefix(2);
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, hexadecimal ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

tl::expected<OptionBytes, std::string> OptionBytes::parse(std::span<const std::uint8_t> bytes) {
  if (bytes.size() != stm32u585::kOptionBytesSize && bytes.size() != kWritable) {
    return tl::make_unexpected("option bytes of stm32u585 are 64 bytes (or the first 48 of them), not " +
                               std::to_string(bytes.size()));
  }
  OptionBytes options;
  std::ranges::copy(bytes, options.bytes_.begin());
  return options;
}

tl::expected<std::uint32_t, std::string> OptionBytes::get(std::string_view name) const {
  const Field* field = find_field(name);
  if (field == nullptr) return tl::make_unexpected("there is no option byte " + std::string(name));
  return value_of(*field, word_at(bytes_, field->offset));
}

tl::expected<void, std::string> OptionBytes::set(std::string_view name, std::uint32_t value) {
  const Field* field = find_field(name);
  if (field == nullptr) {
    return tl::make_unexpected("there is no option byte " + std::string(name) + "; there are " + option_names());
  }
  const std::uint32_t bits = field->is_address ? value : value << field->low;
  const bool fits = field->is_address ? (value & ~field->mask()) == 0 : value <= field->mask() >> field->low;
  if (!fits) {
    return tl::make_unexpected(std::string(name) +
                               (field->is_address ? " is an address, a multiple of 128"
                                                  : " is at most " + std::to_string(field->mask() >> field->low)));
  }
  const std::uint32_t word = (word_at(bytes_, field->offset) & ~field->mask()) | bits;
  for (std::size_t i = 0; i < 4; ++i) bytes_[field->offset + i] = static_cast<std::uint8_t>(word >> 8 * i);
  return {};
}

tl::expected<void, std::string> OptionBytes::set(std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  const auto value = equals == std::string_view::npos ? std::nullopt : parse_number(assignment.substr(equals + 1));
  if (!value) return tl::make_unexpected("an option byte is set by NAME=NUMBER, not by " + std::string(assignment));
  return set(assignment.substr(0, equals), *value);
}

tl::expected<void, std::string> OptionBytes::check_reversible(const OptionBytes& now) const {
  if (*get("RDP") == kRdpLevel2) {
    return tl::make_unexpected("RDP 0xCC is level 2: no debugger and no boot loader would ever get in again");
  }
  if (*get("BOOT_LOCK") == 1 && *now.get("BOOT_LOCK") == 0) {
    return tl::make_unexpected("BOOT_LOCK shuts the ROM boot loader out for good");
  }
  return {};
}

std::vector<OptionChange> OptionBytes::changes_from(const OptionBytes& before) const {
  std::vector<OptionChange> changes;
  for (const Field& field : kFields) {
    const std::uint32_t was = value_of(field, word_at(before.bytes_, field.offset));
    const std::uint32_t is = value_of(field, word_at(bytes_, field.offset));
    if (was != is) changes.push_back({std::string(field.name), was, is});
  }
  return changes;
}

bool OptionBytes::is_secure(std::uint32_t offset) const {
  if (!trust_zone()) return false;
  const std::uint32_t page = offset / stm32u585::kPageSize;
  const bool second = page >= kPagesOfABank;
  const std::uint32_t first = *get(second ? "SECWM2_PSTRT" : "SECWM1_PSTRT");
  const std::uint32_t last = *get(second ? "SECWM2_PEND" : "SECWM1_PEND");
  return page % kPagesOfABank >= first && page % kPagesOfABank <= last;
}

std::string option_names() {
  std::string names;
  for (const Field& field : kFields) names += (names.empty() ? "" : ", ") + std::string(field.name);
  return names;
}

}  // namespace mv::usb
