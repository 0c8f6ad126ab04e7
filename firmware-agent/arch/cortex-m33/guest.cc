#include "arch/cortex-m33/guest.h"

#include <arm_cmse.h>

#include <cstring>

#include "arch/cortex-m33/critical_section.h"
#include "arch/cortex-m33/memory_watch.h"
#include "arch/cortex-m33/registers.h"
#include "arch/cortex-m33/scheduler.h"

namespace mv::arch {
namespace {

constexpr std::uint32_t kNvicSetPending = 0xe000e200;
constexpr std::uint32_t kLockMask = 0x60;         // PendSV_S and everything less urgent
constexpr std::uint32_t kUnprivilegedThread = 1;  // CONTROL.nPRIV
constexpr std::uint32_t kSecureAlias = 1U << 28;  // of a peripheral, beside its Non-secure one (IDAU)

// Non-secure priorities from 0xe0 on wait while the Secure thread runs (scheduler.cc).
constexpr std::uint8_t kLeastUrgent = 0xe0, kNextUrgent = 0xc0;

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

bool CheckedMemory::readable(std::uint32_t address, std::uint32_t size) {
  if (size == 0) return true;
  if (!lies_within(address, size, regions_.code, regions_.code_size) && !in_ram(address, size)) return false;
  const MemoryWatch::Opening opening;
  return allowed(address, size, as_caller(CMSE_MPU_READ));
}

bool CheckedMemory::copy_in(std::span<std::uint8_t> to, std::uint32_t from) {
  if (to.empty()) return true;
  const MemoryWatch::Opening opening;
  if (!readable(from, static_cast<std::uint32_t>(to.size()))) return false;
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

bool NvicGuest::interrupt_enabled(std::uint32_t irq) {
  return (reg32(kNvicSetEnable + irq / 32 * 4) >> (irq % 32) & 1U) != 0;
}

void NvicGuest::enable_interrupt(std::uint32_t irq, bool enabled) {
  reg32((enabled ? kNvicSetEnable : kNvicClearEnable) + irq / 32 * 4) = 1U << (irq % 32);
  barrier();
}

void NvicGuest::hasten_interrupt(std::uint32_t irq) {
  volatile std::uint8_t& priority = reg8(kNvicPriority + irq);
  if (priority >= kLeastUrgent) priority = kNextUrgent;
}

std::uint32_t NvicGuest::vector_table() { return reg32(kVectorTable + kNonSecureAlias); }

// PRIMASK_S does not keep WFI from waking up (ARM DDI 0553B, "Wait for interrupt"), BASEPRI_S would: so that of the
// call is lifted for as long as nothing can be taken. What woke us is taken after the call.
void NvicGuest::wait_for_interrupt() {
  const InterruptsOff guard;
  const std::uint32_t before = read_basepri();
  write_basepri(mv_base_mask);
  __asm volatile("dsb\n wfi" : : : "memory");
  write_basepri(before);
}

std::uint32_t NvicGuest::read_register(std::uint32_t address) { return reg32(address | kSecureAlias); }
void NvicGuest::write_register(std::uint32_t address, std::uint32_t value) { reg32(address | kSecureAlias) = value; }

std::uint32_t SwitchLock::acquire() {
  const std::uint32_t before = read_basepri();
  if (before == 0 || before > kLockMask) write_basepri(kLockMask);
  return before;
}

void SwitchLock::release(std::uint32_t before) { write_basepri(before); }

}  // namespace mv::arch
