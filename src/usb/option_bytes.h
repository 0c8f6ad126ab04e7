// The option bytes of an STM32U585 by name: TrustZone, Secure areas, where a reset goes. Source: RM0456, 7.4 and 7.9.13
// on.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "usb/board_layout.h"

namespace mv::usb {

// One field and what it is to become.
struct OptionChange {
  std::string name;
  std::uint32_t before = 0;
  std::uint32_t after = 0;
};

class OptionBytes {
 public:
  // Exactly the bytes that the boot loader presents (64), or their first 48: the keys behind those stay as they are.
  // The error is a sentence.
  static tl::expected<OptionBytes, std::string> parse(std::span<const std::uint8_t> bytes);

  // What is written: the registers up to the keys (OEM1KEYR1 and on), which cannot be read and must not be made up.
  std::span<const std::uint8_t> writable() const { return std::span(bytes_).first(kWritable); }

  // A field by the name that the manual gives it. Boot addresses are addresses, whole 128 bytes.
  tl::expected<std::uint32_t, std::string> get(std::string_view name) const;

  // Errors: no such field, or a value that does not fit.
  tl::expected<void, std::string> set(std::string_view name, std::uint32_t value);

  // "TZEN=1": a decimal or a hexadecimal (0x) number.
  tl::expected<void, std::string> set(std::string_view assignment);

  // A sentence if going from `now` to this leads to where nobody comes back from: RDP level 2, BOOT_LOCK. Those are
  // refused.
  tl::expected<void, std::string> check_reversible(const OptionBytes& now) const;

  // Every field in which this differs from `before`.
  std::vector<OptionChange> changes_from(const OptionBytes& before) const;

  bool trust_zone() const { return *get("TZEN") == 1; }

  // Whether the 8 KiB page at this offset from the start of flash is Secure: with TrustZone on, by the watermarks.
  bool is_secure(std::uint32_t offset) const;

 private:
  static constexpr std::size_t kWritable = 48;

  std::array<std::uint8_t, stm32u585::kOptionBytesSize> bytes_{};
};

// All names, for a hint.
std::string option_names();

}  // namespace mv::usb
