#include "arch/cortex-m33/guest.h"

#include <arm_cmse.h>

#include <cstring>

#include "arch/cortex-m33/memory_watch.h"
#include "arch/cortex-m33/registers.h"
#include "arch/cortex-m33/scheduler.h"

namespace mv::arch {
namespace {

constexpr std::uint32_t kNvicSetPending = 0xe000e200;
constexpr std::uint32_t kLockMask = 0x60;         // PendSV_S and everything less urgent
constexpr std::uint32_t kUnprivilegedThread = 1;  // CONTROL.nPRIV

std::uint32_t exception_number() {
  std::uint32_t number;
  __asm volatile("mrs %0, ipsr" : "=r"(number));
  return number & 0x1ff;
}

// The rights to ask for: of code in Thread mode those that CONTROL_NS gives it, of a handler all.
int as_caller(int flags) {
  const bool unprivileged = exception_number() == 0 && (read_control_ns() & kUnprivilegedThread) != 0;
  return CMSE_NONSECURE | flags | (unprivileged ? CMSE_MPU_UNPRIV : 0);
}

bool allowed(std::uint32_t address, std::size_t size, int flags) {
  return cmse_check_address_range(reinterpret_cast<void*>(address), size, flags) != nullptr;
}

}  // namespace

bool CheckedMemory::in_ram(std::uint32_t address, std::size_t size) const {
  return lies_within(address, static_cast<std::uint32_t>(size), regions_.ram, regions_.ram_size);
}

bool CheckedMemory::copy_in(std::span<std::uint8_t> to, std::uint32_t from) {
  if (to.empty()) return true;
  const bool code = lies_within(from, static_cast<std::uint32_t>(to.size()), regions_.code, regions_.code_size);
  if (!code && !in_ram(from, to.size())) return false;
  const MemoryWatch::Opening opening;
  if (!allowed(from, to.size(), as_caller(CMSE_MPU_READ))) return false;
  std::memcpy(to.data(), reinterpret_cast<const void*>(from), to.size());
  return true;
}

bool CheckedMemory::writable(std::uint32_t address, std::uint32_t size) {
  const MemoryWatch::Opening opening;
  return size == 0 || (in_ram(address, size) && allowed(address, size, as_caller(CMSE_MPU_READWRITE)));
}

bool CheckedMemory::copy_out(std::uint32_t to, std::span<const std::uint8_t> from) {
  const MemoryWatch::Opening opening;
  if (!writable(to, static_cast<std::uint32_t>(from.size()))) return false;
  std::memcpy(reinterpret_cast<void*>(to), from.data(), from.size());
  return true;
}

bool CheckedMemory::deliver(std::uint32_t to, std::span<const std::uint8_t> from) {
  if (from.empty()) return true;
  const MemoryWatch::Opening opening;
  if (!in_ram(to, from.size()) || !allowed(to, from.size(), CMSE_NONSECURE)) return false;
  std::memcpy(reinterpret_cast<void*>(to), from.data(), from.size());
  return true;
}

bool NvicGuest::owns_interrupt(std::uint32_t irq) {
  return irq < traits_.interrupts && (reg32(kNvicTargetNonSecure + irq / 32 * 4) >> (irq % 32) & 1U) != 0;
}

void NvicGuest::pend_interrupt(std::uint32_t irq) { reg32(kNvicSetPending + irq / 32 * 4) = 1U << (irq % 32); }

bool NvicGuest::in_interrupt() { return exception_number() != 0; }

void NvicGuest::wake_secure_thread() { scheduler.wake(); }

std::uint32_t SwitchLock::acquire() {
  const std::uint32_t before = read_basepri();
  if (before == 0 || before > kLockMask) write_basepri(kLockMask);
  return before;
}

void SwitchLock::release(std::uint32_t before) { write_basepri(before); }

}  // namespace mv::arch
