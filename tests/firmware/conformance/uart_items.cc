// The transmitters of UART4 and LPUART1, whose pins lead nowhere here. Receiving is proved by the orders of this
// program: USART1.
#include "conformance.h"
#include "gpdma.h"
#include "measured.h"
#include "registers.h"

namespace conformance {
namespace {

// RM0456, "Universal synchronous/asynchronous receiver transmitter (USART)"; by the Secure alias.
struct Uart {
  std::uint32_t base, clock, reset, bit;  // RCC_xxxENR, RCC_xxxRSTR

  std::uint32_t control() const { return base; }
  std::uint32_t control3() const { return base + 0x08; }
  std::uint32_t rate() const { return base + 0x0c; }
  std::uint32_t status() const { return base + 0x1c; }
  std::uint32_t clear() const { return base + 0x20; }
  std::uint32_t data() const { return base + 0x28; }
};

constexpr Uart kUart4{0x50004c00, 0x56020c9c, 0x56020c74, 1U << 19};
constexpr Uart kLpuart1{0x56002400, 0x56020ca8, 0x56020c80, 1U << 6};

constexpr std::uint32_t kOn = 1U << 0, kTransmit = 1U << 3, kSentInterrupt = 1U << 6, kRoomInterrupt = 1U << 7;  // CR1
constexpr std::uint32_t kFifo = 1U << 29;
constexpr std::uint32_t kSent = 1U << 6, kRoom = 1U << 7, kTransmits = 1U << 21, kFifoEmpty = 1U << 23;  // ISR
constexpr std::uint32_t kFifoFull = 1U << 24, kFifoBelow = 1U << 27;
constexpr std::uint32_t kUart4Interrupt = 64, kUart4Sends = 31;  // of the NVIC; of GPDMA1

constexpr std::uint32_t kQuick = 16;  // clocks a bit: the fewest

// As RCC's reset leaves it, with a clock.
void fresh(const Uart& uart) {
  reg(uart.clock) = reg(uart.clock) | uart.bit;
  [[maybe_unused]] const std::uint32_t on = reg(uart.clock);
  reg(uart.reset) = reg(uart.reset) | uart.bit;
  reg(uart.reset) = reg(uart.reset) & ~uart.bit;
  barrier();
}

void wait_for(const Uart& uart, std::uint32_t flag) {
  while ((reg(uart.status()) & flag) == 0) continue;  // or the watchdog says so
}

// The transmitter is on, and has sent the idle frame it begins with.
void start(const Uart& uart, std::uint32_t rate, std::uint32_t more = 0) {
  fresh(uart);
  reg(uart.rate()) = rate;
  reg(uart.control()) = more;
  reg(uart.control()) = more | kOn | kTransmit;
  wait_for(uart, kTransmits);
  wait_for(uart, kSent);
}

// Cycles from the write of a character until it has left.
std::uint32_t time_character(const Uart& uart, std::uint32_t rate) {
  start(uart, rate);
  reg(uart.data()) = 0x55;
  wait_for(uart, kSent);
  reg(uart.clear()) = kSent;
  reg(kDwtControl) = reg(kDwtControl) | 1;
  const std::uint32_t before = reg(kCycleCount);
  reg(uart.data()) = 0x55;
  wait_for(uart, kSent);
  const std::uint32_t cycles = reg(kCycleCount) - before;
  fresh(uart);
  return cycles;
}

// Enables an interrupt of UART4 whose flag is set, and waits for it.
void expect_interrupt(std::uint32_t enable) {
  reg(kNvicEnable + kUart4Interrupt / 32 * 4) = 1U << kUart4Interrupt % 32;
  barrier();
  CHECK_EQUAL(interrupt.count, 0);
  reg(kUart4.control()) = reg(kUart4.control()) | enable;
  while (interrupt.count == 0) continue;  // or the watchdog says so
  CHECK_EQUAL(interrupt.number, kUart4Interrupt);
  fresh(kUart4);
}

}  // namespace

ITEM("RM0456 USART_ISR", "TXE and TC are set after a reset; TEACK follows TE once UE is set") {
  fresh(kUart4);
  CHECK_EQUAL(reg(kUart4.status()) & (kRoom | kSent | kTransmits), kRoom | kSent);
  start(kUart4, kQuick);
  fresh(kUart4);
  CHECK_EQUAL(reg(kUart4.status()) & kTransmits, 0);
}

ITEM("RM0456 USART_ICR", "TCCF clears TC, and a character that has left sets it again") {
  start(kUart4, kQuick);
  reg(kUart4.clear()) = kSent;
  CHECK_EQUAL(reg(kUart4.status()) & (kRoom | kSent), kRoom);
  reg(kUart4.data()) = 'U';
  wait_for(kUart4, kSent);
  fresh(kUart4);
}

ITEM("RM0456 USART_CR1", "FIFOEN: an empty FIFO has TXFE, TXFNF and TXFT set, and RXFF clear") {
  start(kUart4, kQuick, kFifo);
  const std::uint32_t status = reg(kUart4.status());
  CHECK_EQUAL(status & (kFifoEmpty | kRoom | kFifoBelow | kFifoFull), kFifoEmpty | kRoom | kFifoBelow);
  for (char letter = 'a'; letter < 'a' + 16; ++letter) {
    wait_for(kUart4, kRoom);
    reg(kUart4.data()) = static_cast<std::uint32_t>(letter);
  }
  wait_for(kUart4, kFifoEmpty);
  wait_for(kUart4, kSent);
  fresh(kUart4);
}

ITEM("RM0456 USART_CR1", "TXEIE: room for a character raises UART4") {
  start(kUart4, kQuick);
  expect_interrupt(kRoomInterrupt);
}

ITEM("RM0456 USART_CR1", "TCIE: a character that has left raises UART4") {
  start(kUart4, kQuick);
  reg(kUart4.clear()) = kSent;
  reg(kUart4.data()) = 'U';
  wait_for(kUart4, kSent);
  expect_interrupt(kSentInterrupt);
}

ITEM("RM0456 USART_CR3", "DMAT: GPDMA1 sends what it is given, a character a request") {
  constexpr std::uint32_t kByDma = 1U << 7;  // CR3.DMAT
  static const char kText[] = "by GPDMA1";
  start(kUart4, kQuick);
  gpdma::make_fresh();
  reg(gpdma::kTransfer1) = gpdma::kSecureBytes;
  reg(gpdma::kTransfer2) = kUart4Sends | gpdma::kToPeripheral;
  reg(gpdma::kBlock) = sizeof kText;
  reg(gpdma::kFrom) = reinterpret_cast<std::uint32_t>(kText);
  reg(gpdma::kTo) = kUart4.data();
  reg(gpdma::kControl) = gpdma::kOn;
  CHECK_EQUAL(reg(gpdma::kBlock) & 0xffff, sizeof kText);
  reg(kUart4.clear()) = kSent;
  reg(kUart4.control3()) = kByDma;
  while ((reg(gpdma::kStatus) & gpdma::kComplete) == 0) continue;  // or the watchdog says so
  CHECK_EQUAL(reg(gpdma::kBlock) & 0xffff, 0);
  wait_for(kUart4, kSent);
  reg(gpdma::kControl) = gpdma::kReset;
  fresh(kUart4);
}

ITEM("RM0456 USART_BRR", "it says how many clocks a bit has: a character at 1000 baud") {
  timed(time_character(kUart4, 4000), {40'000, 45'000}, "cycles", "10 bits, and up to one until it begins");
}

ITEM("RM0456 LPUART_BRR", "it counts 256ths of a clock: a character at 1000 baud") {
  timed(time_character(kLpuart1, 4000 * 256), {40'000, 45'000}, "cycles", "10 bits, and up to one until it begins");
}

}  // namespace conformance
