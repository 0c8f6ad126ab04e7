// How the flash is programmed and erased, and what it says of mistakes. Only the scratch page is touched.
#include "conformance.h"
#include "measured.h"
#include "nonsecure.h"
#include "registers.h"

extern "C" std::uint32_t conf_scratch_page;

namespace conformance {
namespace {

// RM0456, 7.9. From the Secure alias Secure code reaches both: the registers of its own, and the Non-secure ones.
constexpr std::uint32_t kKey1 = 0x45670123, kKey2 = 0xcdef89ab, kLock = 1U << 31;
constexpr std::uint32_t kEndOfOperation = 1U << 0, kProgramError = 1U << 3, kWriteProtected = 1U << 4;
constexpr std::uint32_t kMisaligned = 1U << 5, kWrongSize = 1U << 6, kWrongSequence = 1U << 7, kErrors = 0x20fa;
constexpr std::uint32_t kBusy = 1U << 16, kWaitsForData = 1U << 17;
constexpr std::uint32_t kProgram = 1U << 0, kPageErase = 1U << 1, kSecondBank = 1U << 11, kStart = 1U << 16;
constexpr std::uint32_t kEndInterrupt = 1U << 24;
constexpr std::uint32_t kPageSize = 0x2000, kBank2 = 0x0c100000, kErased = 0xffffffff;
constexpr std::uint32_t kSecureFlashInterrupt = 7;

// One side's registers, unlocked while it lives; no error is pending when it begins.
class Side {
 public:
  static Side secure() { return {0x5002200c, 0x50022024, 0x5002202c}; }
  static Side nonsecure() { return {0x50022008, 0x50022020, 0x50022028}; }

  std::uint32_t lock() const { return reg(control_) & kLock; }
  std::uint32_t status() const { return reg(status_); }
  void forget() const { reg(status_) = kErrors | kEndOfOperation; }
  void control(std::uint32_t value) const { reg(control_) = value; }
  void unlock() const {
    reg(key_) = kKey1;
    reg(key_) = kKey2;
  }
  std::uint32_t finish() const {
    barrier();
    while ((status() & kBusy) != 0) continue;
    return status();
  }

  // Ends with the status; the control register is locked, errors are forgotten.
  template <typename Operation>
  std::uint32_t run(std::uint32_t bits, Operation operation) const {
    unlock();
    forget();
    control(bits);
    operation();
    const std::uint32_t result = finish();
    forget();
    control(0);
    control(kLock);
    return result;
  }

 private:
  Side(std::uint32_t key, std::uint32_t status, std::uint32_t control)
      : key_(key), status_(status), control_(control) {}
  std::uint32_t key_, status_, control_;
};

std::uint32_t scratch(std::uint32_t word = 0) { return reinterpret_cast<std::uint32_t>(&conf_scratch_page) + 4 * word; }

std::uint32_t erase_scratch_page(Side side) {
  const std::uint32_t page = kPageErase | kSecondBank | (scratch() - kBank2) / kPageSize << 3;
  return side.run(page, [&] { side.control(page | kStart); });
}

void begin_erased() { CHECK_EQUAL(erase_scratch_page(Side::secure()) & kErrors, 0); }

std::uint32_t program(std::uint32_t first_word, std::uint32_t value) {
  return Side::secure().run(kProgram, [&] {
    for (std::uint32_t word = 0; word < 4; ++word) reg(scratch(first_word + word)) = value;
  });
}

}  // namespace

ITEM("RM0456 FLASH_SECCR", "while LOCK is set nothing else in it can be; both keys in a row clear it") {
  const Side side = Side::secure();
  side.control(kLock);
  side.control(kProgram);
  CHECK_EQUAL(side.lock(), kLock);
  side.unlock();
  CHECK_EQUAL(side.lock(), 0);
  side.control(kLock);
  CHECK_EQUAL(side.lock(), kLock);
}

ITEM("RM0456 FLASH_SECSR", "WDW is set from the first word of a quad-word to its fourth, and BSY ends by itself") {
  begin_erased();
  const Side side = Side::secure();
  std::uint32_t always = kWaitsForData;
  const std::uint32_t end = side.run(kProgram, [&] {
    for (std::uint32_t word = 0; word < 3; ++word) {
      reg(scratch(word)) = word;
      barrier();
      always &= side.status();
    }
    reg(scratch(3)) = 3;
  });
  CHECK_EQUAL(always, kWaitsForData);
  CHECK_EQUAL(end & (kErrors | kWaitsForData | kBusy), 0);
  for (std::uint32_t word = 0; word < 4; ++word) CHECK_EQUAL(reg(scratch(word)), word);
  CHECK_EQUAL(reg(scratch(4)), kErased);
}

ITEM("RM0456 FLASH_SECSR", "PROGERR: a quad-word that is programmed stays as it is") {
  begin_erased();
  CHECK_EQUAL(program(0, 0x0f0f0f0f) & kErrors, 0);
  CHECK_EQUAL(program(0, 0x01010101) & kErrors, kProgramError);
  CHECK_EQUAL(reg(scratch()), 0x0f0f0f0f);
}

ITEM("RM0456 FLASH_SECSR", "PROGERR is not set when all zeros are programmed over a quad-word") {
  begin_erased();
  CHECK_EQUAL(program(0, 0x0f0f0f0f) & kErrors, 0);
  CHECK_EQUAL(program(0, 0) & kErrors, 0);
  for (std::uint32_t word = 0; word < 4; ++word) CHECK_EQUAL(reg(scratch(word)), 0);
}

ITEM("RM0456 FLASH_SECSR", "PGAERR: the first word is not at the start of a quad-word") {
  begin_erased();
  const std::uint32_t end = Side::secure().run(kProgram, [] { reg(scratch(1)) = 1; });
  CHECK_EQUAL(end & kErrors, kMisaligned);
  CHECK_EQUAL(reg(scratch(1)), kErased);
}

ITEM("RM0456 FLASH_SECSR", "PGAERR: the second word is of another quad-word") {
  begin_erased();
  const std::uint32_t end = Side::secure().run(kProgram, [] {
    reg(scratch(0)) = 1;
    reg(scratch(5)) = 1;
  });
  CHECK_EQUAL(end & kErrors, kMisaligned);
  CHECK_EQUAL(reg(scratch(0)), kErased);
  CHECK_EQUAL(reg(scratch(5)), kErased);
}

ITEM("RM0456 FLASH_SECSR", "SIZERR: bytes and half-words are not programmed") {
  begin_erased();
  const Side side = Side::secure();
  const std::uint32_t byte = side.run(kProgram, [] { *reinterpret_cast<volatile std::uint8_t*>(scratch()) = 1; });
  CHECK_EQUAL(byte & kErrors, kWrongSize);
  const std::uint32_t half = side.run(kProgram, [] { *reinterpret_cast<volatile std::uint16_t*>(scratch()) = 1; });
  CHECK_EQUAL(half & kErrors, kWrongSize);
  CHECK_EQUAL(reg(scratch()), kErased);
}

ITEM("RM0456 FLASH_SECSR", "PGSERR: a word is written while PG is clear") {
  begin_erased();
  const std::uint32_t end = Side::secure().run(0, [] { reg(scratch()) = 1; });
  CHECK_EQUAL(end & kErrors, kWrongSequence);
  CHECK_EQUAL(reg(scratch()), kErased);
}

ITEM("RM0456 FLASH_SECSR", "PGSERR: an error of before is still set") {
  begin_erased();
  const std::uint32_t end = Side::secure().run(kProgram, [] {
    reg(scratch(1)) = 1;
    barrier();
    for (std::uint32_t word = 0; word < 4; ++word) reg(scratch(word)) = 0;
  });
  CHECK_EQUAL(end & kErrors, kMisaligned | kWrongSequence);
  for (std::uint32_t word = 0; word < 4; ++word) CHECK_EQUAL(reg(scratch(word)), kErased);
}

ITEM("RM0456 FLASH_SECSR", "errors are cleared by writing one to them, and only those") {
  const Side side = Side::secure();
  std::uint32_t zeros = 0, ones = 0;
  side.run(kProgram, [&] {
    reg(scratch(1)) = 1;
    side.finish();
    reg(0x50022024) = 0;
    zeros = side.status() & kErrors;
    reg(0x50022024) = kMisaligned;
    ones = side.status() & kErrors;
  });
  CHECK_EQUAL(zeros, kMisaligned);
  CHECK_EQUAL(ones, 0);
}

ITEM("RM0456 FLASH_NSSR", "WRPERR: the Non-secure registers do not erase a Secure page") {
  begin_erased();
  CHECK_EQUAL(program(0, 0x12345678) & kErrors, 0);
  CHECK_EQUAL(erase_scratch_page(Side::nonsecure()) & kErrors, kWriteProtected);
  CHECK_EQUAL(reg(scratch()), 0x12345678);
}

ITEM("RM0456 FLASH_SECSR", "EOP is set only if EOPIE is, and then raises FLASH_S") {
  begin_erased();
  CHECK_EQUAL(program(0, 1) & kEndOfOperation, 0);
  CHECK_EQUAL(interrupt.count, 0);
  reg(kNvicEnable) = 1U << kSecureFlashInterrupt;
  const std::uint32_t end = Side::secure().run(kProgram | kEndInterrupt, [] {
    for (std::uint32_t word = 4; word < 8; ++word) reg(scratch(word)) = word;
  });
  reg(kNvicDisable) = 1U << kSecureFlashInterrupt;
  CHECK_EQUAL(end & (kErrors | kEndOfOperation), kEndOfOperation);
  CHECK_EQUAL(interrupt.count, 1);
  CHECK_EQUAL(interrupt.number, kSecureFlashInterrupt);
}

ITEM("RM0456 FLASH_SECCR", "it reads as zero for Non-secure code, which cannot unlock it") {
  constexpr std::uint32_t kAsNonSecure = 0x4002202c, kKeyAsNonSecure = 0x4002200c;
  Side::secure().control(kLock);
  CHECK_EQUAL(call_nonsecure(reinterpret_cast<const void*>(ns_read), kAsNonSecure), 0);
  call_nonsecure(reinterpret_cast<const void*>(ns_write), kKeyAsNonSecure, kKey1);
  call_nonsecure(reinterpret_cast<const void*>(ns_write), kKeyAsNonSecure, kKey2);
  CHECK_EQUAL(Side::secure().lock(), kLock);
}

}  // namespace conformance
