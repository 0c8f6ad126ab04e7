#include "boards/mps2-an505/link_uart.h"

#include "arch/cortex-m33/critical_section.h"
#include "arch/cortex-m33/registers.h"
#include "arch/cortex-m33/scheduler.h"
#include "boards/common/byte_ring.h"
#include "boards/mps2-an505/memory.h"

namespace mv::board {
namespace {

using arch::reg32;

// CMSDK APB UART (ARM DDI 0479D, 4.3).
constexpr std::uint32_t kData = kLinkUart, kState = kLinkUart + 4, kControl = kLinkUart + 8,
                        kInterruptClear = kLinkUart + 12, kDivider = kLinkUart + 16;
constexpr std::uint32_t kTransmitFull = 1, kReceiveFull = 2;
constexpr std::uint32_t kTransmitInterrupt = 1, kReceiveInterrupt = 2;
constexpr std::uint32_t kBothWithInterrupts = 0xf;
constexpr std::uint8_t kPriority = 0x20;

ByteRing<4096> in;  // two segments of the modem, and then some
ByteRing<2048> out;

void enable_interrupt(std::uint32_t number) {
  arch::reg8(arch::kNvicPriority + number) = kPriority;
  reg32(arch::kNvicSetEnable + number / 32 * 4) = 1U << number % 32;
}

}  // namespace

void LinkUart::set_up() {
  reg32(kDivider) = 20;  // 1 Mbaud of 20 MHz
  reg32(kControl) = kBothWithInterrupts;
  enable_interrupt(kLinkReceiveInterrupt);
  enable_interrupt(kLinkTransmitInterrupt);
  received();  // a byte that came before its interrupt was on raises none
}

std::size_t LinkUart::read(std::span<std::uint8_t> bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && in.pop(bytes[taken])) ++taken;
  return taken;
}

std::size_t LinkUart::write(std::span<const std::uint8_t> bytes) {
  std::size_t accepted = 0;
  while (accepted < bytes.size() && out.push(bytes[accepted])) ++accepted;
  const arch::InterruptsOff guard;
  fill_transmitter();
  return accepted;
}

void LinkUart::received() {
  reg32(kInterruptClear) = kReceiveInterrupt;
  while ((reg32(kState) & kReceiveFull) != 0) {
    if (!in.push(static_cast<std::uint8_t>(reg32(kData)))) dropped_ = dropped_ + 1;
  }
  arch::scheduler.wake();
}

void LinkUart::transmitted() {
  reg32(kInterruptClear) = kTransmitInterrupt;
  fill_transmitter();
}

// With interrupts off, or in the interrupt.
void LinkUart::fill_transmitter() {
  std::uint8_t byte = 0;
  while ((reg32(kState) & kTransmitFull) == 0 && out.pop(byte)) reg32(kData) = byte;
}

}  // namespace mv::board
