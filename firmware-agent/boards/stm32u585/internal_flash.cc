#include "boards/stm32u585/internal_flash.h"

#include <array>
#include <cstring>

#include "arch/cortex-m33/registers.h"
#include "boards/stm32u585/memory.h"
#include "boards/stm32u585/registers.h"

namespace mv::board {
namespace {

// Everything that is done while the flash is busy: no function of ours lies in RAM but these.
#define MV_RAM_CODE __attribute__((section(".ramcode"), noinline, long_call, no_instrument_function))

struct Controller {
  std::uint32_t key, status, control;
};
constexpr Controller kSecure = {flash_regs::kSecureKey, flash_regs::kSecureStatus, flash_regs::kSecureControl};
constexpr Controller kNonSecure = {flash_regs::kNonSecureKey, flash_regs::kNonSecureStatus,
                                   flash_regs::kNonSecureControl};

constexpr std::uint32_t address_of(std::uint32_t offset) {
  return offset < kBankSize ? kApplication.code + offset : kSecureFlash + offset;
}

constexpr const Controller& controller_of(std::uint32_t offset) { return offset < kBankSize ? kNonSecure : kSecure; }

// 7.3.7: the keys open the control register until it is locked again.
class Unlocked {
 public:
  explicit Unlocked(const Controller& controller) : control_(controller.control) {
    if ((reg32(control_) & flash_regs::kLock) == 0) return;
    reg32(controller.key) = flash_regs::kKey1;
    reg32(controller.key) = flash_regs::kKey2;
  }
  ~Unlocked() { reg32(control_) = flash_regs::kLock; }
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;

 private:
  std::uint32_t control_;
};

volatile std::uint32_t& at(std::uint32_t address) { return *reinterpret_cast<volatile std::uint32_t*>(address); }

// Returns the status register once the controller is idle. At most some 400 ms: a page erase takes 3.4 ms at the worst
// (DS13086, table "Flash memory characteristics").
MV_RAM_CODE std::uint32_t run_program(std::uint32_t status, std::uint32_t control, std::uint32_t address,
                                      const std::uint32_t* words) {
  *reinterpret_cast<volatile std::uint32_t*>(status) = flash_regs::kStatusErrors | flash_regs::kEndOfOperation;
  *reinterpret_cast<volatile std::uint32_t*>(control) = flash_regs::kProgram;
  for (int word = 0; word < 4; ++word) *reinterpret_cast<volatile std::uint32_t*>(address + 4 * word) = words[word];
  __asm volatile("dsb" ::: "memory");
  std::uint32_t value = flash_regs::kBusy;
  for (std::uint32_t looks = 0; looks < 8'000'000 && (value & flash_regs::kBusy) != 0; ++looks) {
    value = *reinterpret_cast<volatile std::uint32_t*>(status);
  }
  *reinterpret_cast<volatile std::uint32_t*>(control) = 0;
  return value;
}

MV_RAM_CODE std::uint32_t run_erase(std::uint32_t status, std::uint32_t control, std::uint32_t page_bits) {
  *reinterpret_cast<volatile std::uint32_t*>(status) = flash_regs::kStatusErrors | flash_regs::kEndOfOperation;
  *reinterpret_cast<volatile std::uint32_t*>(control) = page_bits;
  *reinterpret_cast<volatile std::uint32_t*>(control) = page_bits | flash_regs::kStart;
  __asm volatile("dsb" ::: "memory");
  std::uint32_t value = flash_regs::kBusy;
  for (std::uint32_t looks = 0; looks < 8'000'000 && (value & flash_regs::kBusy) != 0; ++looks) {
    value = *reinterpret_cast<volatile std::uint32_t*>(status);
  }
  *reinterpret_cast<volatile std::uint32_t*>(control) = 0;
  return value;
}

// What the instruction cache holds of the flash is not what is there any more (9.4.7).
void forget_cached() {
  reg32(kInstructionCache) = reg32(kInstructionCache) | 2U;  // CACHEINV
  wait_for(kInstructionCache + 4, 1U << 0, 0);               // BUSYF
}

bool in_range(std::uint32_t offset, std::size_t size) { return size <= kFlashSize && offset <= kFlashSize - size; }

}  // namespace

std::uint32_t InternalFlash::size() const { return kFlashSize; }

bool InternalFlash::note_ecc_error() {
  if ((reg32(flash_regs::kEcc) & flash_regs::kEccDetected) == 0) return false;
  reg32(flash_regs::kEcc) = flash_regs::kEccDetected;
  at(kEccNote) = 1;
  return true;
}

Flash::Result InternalFlash::read(std::uint32_t offset, std::span<std::uint8_t> out) {
  if (!in_range(offset, out.size())) return Result::kOutOfRange;
  if (out.empty()) return Result::kOk;
  at(kEccNote) = 0;
  const std::uint32_t address = address_of(offset);
  if (offset < kBankSize && offset + out.size() > kBankSize) return Result::kOutOfRange;  // nobody reads across
  std::memcpy(out.data(), reinterpret_cast<const void*>(address), out.size());
  arch::barrier();
  return at(kEccNote) == 0 ? Result::kOk : Result::kEccError;
}

Flash::Result InternalFlash::erase_page(std::uint32_t offset) {
  if (offset % kPage != 0 || !in_range(offset, kPage)) return Result::kOutOfRange;
  const Controller& controller = controller_of(offset);
  const Unlocked unlocked(controller);
  const std::uint32_t page = offset % kBankSize / kPageSize << flash_regs::kPageShift;
  const std::uint32_t bank = offset < kBankSize ? 0 : flash_regs::kSecondBank;
  const std::uint32_t status = run_erase(controller.status, controller.control, flash_regs::kPageErase | bank | page);
  forget_cached();
  return (status & (flash_regs::kStatusErrors | flash_regs::kBusy)) == 0 ? Result::kOk : Result::kFailed;
}

Flash::Result InternalFlash::program(std::uint32_t offset, std::span<const std::uint8_t> quad_words) {
  if (offset % kQuadWord != 0 || quad_words.size() % kQuadWord != 0 || !in_range(offset, quad_words.size())) {
    return Result::kOutOfRange;
  }
  constexpr std::uint32_t kProgramError = 1U << 3;  // PROGERR: it was not erased
  const Controller& controller = controller_of(offset);
  const Unlocked unlocked(controller);
  for (std::size_t done = 0; done < quad_words.size(); done += kQuadWord) {
    std::array<std::uint32_t, 4> words;
    std::memcpy(words.data(), &quad_words[done], kQuadWord);
    const std::uint32_t address = address_of(offset + static_cast<std::uint32_t>(done));
    const std::uint32_t status = run_program(controller.status, controller.control, address, words.data());
    if ((status & kProgramError) != 0) return Result::kNotErased;
    if ((status & (flash_regs::kStatusErrors | flash_regs::kBusy)) != 0) return Result::kFailed;
  }
  forget_cached();
  return Result::kOk;
}

}  // namespace mv::board
