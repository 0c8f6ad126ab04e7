#include "boards/stm32u585/option_bytes.h"

#include <cstdint>

#include "boards/common/console.h"
#include "boards/stm32u585/memory.h"
#include "boards/stm32u585/registers.h"

namespace mv::board {
namespace {

constexpr std::uint32_t kTrustZone = 1U << 31;
constexpr std::uint32_t kOpen = 0xaa, kTrustZoneOpen = 0x55;  // RDP levels 0 and 0.5
constexpr std::uint32_t kBootLock = 1U << 0;
constexpr std::uint32_t kLastPage = kBankSize / kPageSize - 1;

std::uint32_t first_secure(std::uint32_t watermark) { return watermark & 0x7f; }
std::uint32_t last_secure(std::uint32_t watermark) { return watermark >> 16 & 0x7f; }

bool require(bool good, const char* what, std::uint32_t found) {
  if (good) return true;
  console::write("option bytes: ");
  console::write(what);
  console::write(", found ");
  console::write_hex(found);
  console::write_line("");
  return false;
}

void say_how_closed(std::uint32_t options, std::uint32_t boot) {
  const std::uint32_t level = options & 0xff;
  console::write("option bytes: readout protection ");
  console::write(level == kOpen            ? "0 (open)"
                 : level == kTrustZoneOpen ? "0.5 (Non-secure side open)"
                 : level == 0xcc           ? "2 (closed)"
                                           : "1 (closed)");
  console::write_line((boot & kBootLock) != 0 ? ", boot address locked" : ", boot address not locked");
}

}  // namespace

bool check_option_bytes() {
  const std::uint32_t options = reg32(flash_regs::kOptions), boot = reg32(flash_regs::kSecureBoot);
  const std::uint32_t bank1 = reg32(flash_regs::kWatermark1), bank2 = reg32(flash_regs::kWatermark2);
  bool good = require((options & kTrustZone) != 0, "TZEN has to be 1", options);
  good &= require(first_secure(bank1) > last_secure(bank1), "SECWM1 has to leave bank 1 to the application", bank1);
  good &= require(first_secure(bank2) == 0 && last_secure(bank2) == kLastPage, "SECWM2 has to cover bank 2", bank2);
  good &= require((boot & ~0x7fU) == kSecureFlash + kBootStage, "SECBOOTADD0 has to be 0x0C100000", boot & ~0x7fU);
  if (good) say_how_closed(options, boot);
  return good;
}

}  // namespace mv::board
