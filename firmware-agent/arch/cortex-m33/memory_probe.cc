#include "arch/cortex-m33/memory_probe.h"

#include <arm_cmse.h>

#include <cstring>

#include "arch/cortex-m33/memory_watch.h"
#include "arch/cortex-m33/registers.h"

extern "C" {
bool mv_peek8(std::uint32_t address, std::uint32_t* out);
bool mv_peek16(std::uint32_t address, std::uint32_t* out);
bool mv_peek32(std::uint32_t address, std::uint32_t* out);
bool mv_poke8(std::uint32_t address, std::uint32_t value);
bool mv_poke16(std::uint32_t address, std::uint32_t value);
bool mv_poke32(std::uint32_t address, std::uint32_t value);
}

namespace mv::arch {
namespace {

constexpr std::uint32_t kControlSpace = 0xe000e000;  // System Control Space: NVIC, SCB, SysTick, MPU
constexpr std::uint32_t kControlSpaceSize = 0x1000;

// The widest access that address and length allow: peripherals mind how they are read.
std::size_t access_size(std::uint32_t address, std::size_t left) {
  if (address % 4 == 0 && left >= 4) return 4;
  return address % 2 == 0 && left >= 2 ? 2 : 1;
}

bool peek(std::uint32_t address, std::size_t size, std::uint32_t* value) {
  if (size == 4) return mv_peek32(address, value);
  return size == 2 ? mv_peek16(address, value) : mv_peek8(address, value);
}

bool poke(std::uint32_t address, std::size_t size, std::uint32_t value) {
  if (size == 4) return mv_poke32(address, value);
  return size == 2 ? mv_poke16(address, value) : mv_poke8(address, value);
}

}  // namespace

// Secure code sees its own bank of the System Control Space at the application's addresses; the application's bank is
// at the Non-secure alias. The rest must be the application's by region and by attribution.
bool ProbedMemory::translate(std::uint32_t& address, std::size_t size) const {
  const auto length = static_cast<std::uint32_t>(size);
  if (lies_within(address, length, kControlSpace, kControlSpaceSize)) {
    address += kNonSecureAlias;
    return true;
  }
  const bool ours = lies_within(address, length, regions_.code, regions_.code_size) ||
                    lies_within(address, length, regions_.ram, regions_.ram_size) ||
                    lies_within(address, length, regions_.peripherals, regions_.peripherals_size);
  return ours && cmse_check_address_range(reinterpret_cast<void*>(address), size, CMSE_NONSECURE) != nullptr;
}

bool ProbedMemory::read(std::uint32_t address, std::span<std::uint8_t> out) {
  if (out.empty()) return true;
  const MemoryWatch::Opening opening;
  if (!translate(address, out.size())) return false;
  for (std::size_t at = 0; at < out.size();) {
    const std::size_t size = access_size(address + static_cast<std::uint32_t>(at), out.size() - at);
    std::uint32_t value = 0;
    if (!peek(address + static_cast<std::uint32_t>(at), size, &value)) return false;
    std::memcpy(&out[at], &value, size);
    at += size;
  }
  return true;
}

bool ProbedMemory::write(std::uint32_t address, std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return true;
  const auto length = static_cast<std::uint32_t>(bytes.size());
  if (regions_.runs_in_flash && lies_within(address, length, regions_.code, regions_.code_size)) return false;
  const MemoryWatch::Opening opening;
  if (!translate(address, bytes.size())) return false;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t size = access_size(address + static_cast<std::uint32_t>(at), bytes.size() - at);
    std::uint32_t value = 0;
    std::memcpy(&value, &bytes[at], size);
    if (!poke(address + static_cast<std::uint32_t>(at), size, value)) return false;
    at += size;
  }
  return true;
}

bool ProbedMemory::patch_code(std::uint32_t address, std::span<const std::uint8_t> bytes) {
  if (regions_.runs_in_flash) return false;
  if (!lies_within(address, static_cast<std::uint32_t>(bytes.size()), regions_.code, regions_.code_size)) return false;
  const bool done = write(address, bytes);
  barrier();
  return done;
}

bool ProbedMemory::is_code(std::uint32_t address) const {
  return lies_within(address, 2, regions_.code, regions_.code_size);
}

}  // namespace mv::arch
