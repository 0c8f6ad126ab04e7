#include "boards/stm32u585/link_uart.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "arch/cortex-m33/critical_section.h"
#include "arch/cortex-m33/scheduler.h"
#include "boards/stm32u585/memory.h"
#include "boards/stm32u585/ownership.h"
#include "boards/stm32u585/registers.h"

namespace mv::board {
namespace {

constexpr std::uint32_t kModem = usart::kUsart3;
constexpr std::uint32_t kBaudRate = 921'600;
constexpr std::uint8_t kPriority = 0x20;

// Bytes counted since the start; the place in the ring is the rest of the division by its size.
template <std::uint32_t kSize>
struct Ring {
  static_assert((kSize & (kSize - 1)) == 0, "a power of two");

  std::uint32_t filled() const { return head - tail; }
  std::uint32_t free() const { return kSize - filled(); }
  std::uint8_t* at(std::uint32_t count) { return &bytes[count % kSize]; }
  // How many of `size` bytes lie in a row from `count` on.
  static std::uint32_t in_a_row(std::uint32_t count, std::uint32_t size) {
    return std::min(size, kSize - count % kSize);
  }

  std::array<std::uint8_t, kSize> bytes;
  std::uint32_t head, tail;
};

Ring<4096> in;  // two segments of the modem, and then some; `head`: where the running block began
Ring<2048> out;
std::uint32_t receiving, sending;  // bytes of the block that runs, 0: none

// A channel of ours: one block, of which both ends are Secure.
class Channel {
 public:
  constexpr Channel(std::uint32_t number, std::uint32_t request) : at_(gpdma::channel(number)), request_(request) {}

  void set_up() const { reg32(at_ + gpdma::kControl) = gpdma::kReset; }

  void receive(std::uint32_t from, std::uint8_t* to, std::uint32_t size) const {
    start(gpdma::kTargetGrows, request_, from, reinterpret_cast<std::uint32_t>(to), size);
  }

  void send(const std::uint8_t* from, std::uint32_t to, std::uint32_t size) const {
    start(gpdma::kSourceGrows, request_ | gpdma::kToPeripheral, reinterpret_cast<std::uint32_t>(from), to, size);
  }

  std::uint32_t left() const { return reg32(at_ + gpdma::kBlock) & gpdma::kLongestBlock; }

  // Takes back the interrupt's flags. False: the channel stopped because of an error.
  bool acknowledge() const {
    const std::uint32_t status = reg32(at_ + gpdma::kStatus);
    reg32(at_ + gpdma::kClear) = gpdma::kAllFlags;
    return (status & gpdma::kErrors) == 0;
  }

 private:
  void start(std::uint32_t grows, std::uint32_t request, std::uint32_t from, std::uint32_t to,
             std::uint32_t size) const {
    reg32(at_ + gpdma::kClear) = gpdma::kAllFlags;
    reg32(at_ + gpdma::kTransfer1) = grows | gpdma::kSourceSecure | gpdma::kTargetSecure;
    reg32(at_ + gpdma::kTransfer2) = request;
    reg32(at_ + gpdma::kBlock) = size;
    reg32(at_ + gpdma::kSource) = from;
    reg32(at_ + gpdma::kTarget) = to;
    reg32(at_ + gpdma::kLink) = 0;
    arch::barrier();  // what is sent is in memory
    reg32(at_ + gpdma::kControl) = gpdma::kComplete | gpdma::kHalf | gpdma::kErrors | gpdma::kEnable;
  }

  std::uint32_t at_, request_;
};

constexpr Channel kReceive(kReceiveChannel, gpdma::kUsart3Receive);
constexpr Channel kTransmit(kTransmitChannel, gpdma::kUsart3Transmit);

// All with interrupts off, or in one of our interrupts, which have one priority.

void start_receiving() {
  const std::uint32_t size = in.in_a_row(in.head, in.free());
  if (receiving != 0 || size == 0) return;
  receiving = size;
  kReceive.receive(kModem + usart::kReceive, in.at(in.head), size);
}

void start_sending() {
  const std::uint32_t size = out.in_a_row(out.tail, out.filled());
  if (sending != 0 || size == 0) return;
  sending = size;
  kTransmit.send(out.at(out.tail), kModem + usart::kTransmit, size);
}

std::uint32_t received() { return in.head + (receiving != 0 ? receiving - kReceive.left() : 0); }

void enable_interrupt(std::uint32_t number) {
  arch::reg8(arch::kNvicPriority + number) = kPriority;
  reg32(arch::kNvicSetEnable + number / 32 * 4) = 1U << number % 32;
}

}  // namespace

void LinkUart::set_up() {
  usart::disable(kModem);
  reg32(kModem + usart::kBaud) = kCoreClock / kBaudRate;
  reg32(kModem + usart::kControl3) = usart::kFlowControl | usart::kReceiveDma | usart::kTransmitDma;
  usart::enable(kModem, usart::kFifo | usart::kIdleInterrupt | usart::kTransmitterOn | usart::kReceiverOn);
  kReceive.set_up();
  kTransmit.set_up();
  enable_interrupt(interrupt::kUsart3);
  enable_interrupt(interrupt::kDmaChannel0 + kReceiveChannel);
  enable_interrupt(interrupt::kDmaChannel0 + kTransmitChannel);
  const arch::InterruptsOff guard;
  start_receiving();
}

// One thread reads and writes; only the counts are shared with the interrupts, so the bytes move without keeping anyone
// waiting.
std::size_t LinkUart::read(std::span<std::uint8_t> bytes) {
  const auto there = [] {
    const arch::InterruptsOff guard;
    return received() - in.tail;
  };
  std::size_t taken = 0;
  for (std::uint32_t left = there(); taken < bytes.size() && left > 0; left = there()) {
    const std::uint32_t part = in.in_a_row(in.tail, std::min(left, static_cast<std::uint32_t>(bytes.size() - taken)));
    std::memcpy(&bytes[taken], in.at(in.tail), part);
    taken += part;
    const arch::InterruptsOff guard;
    in.tail += part;
    start_receiving();
  }
  return taken;
}

std::size_t LinkUart::write(std::span<const std::uint8_t> bytes) {
  const auto room = [] {
    const arch::InterruptsOff guard;
    return out.free();
  };
  std::size_t accepted = 0;
  for (std::uint32_t left = room(); accepted < bytes.size() && left > 0; left = room()) {
    const std::uint32_t part =
        out.in_a_row(out.head, std::min(left, static_cast<std::uint32_t>(bytes.size() - accepted)));
    std::memcpy(out.at(out.head), &bytes[accepted], part);
    accepted += part;
    const arch::InterruptsOff guard;
    out.head += part;
    start_sending();
  }
  return accepted;
}

void LinkUart::line_idle() {
  reg32(kModem + usart::kClear) = usart::kIdle | usart::kOverrun;
  arch::scheduler.wake();
}

// Half of a block is worth waking up for as well.
void LinkUart::block_received() {
  const arch::InterruptsOff guard;
  kReceive.acknowledge();
  if (receiving != 0 && kReceive.left() == 0) {
    in.head += receiving;
    receiving = 0;
    start_receiving();
  }
  arch::scheduler.wake();
}

void LinkUart::block_sent() {
  const arch::InterruptsOff guard;
  kTransmit.acknowledge();
  if (sending == 0 || kTransmit.left() != 0) return;
  out.tail += sending;
  sending = 0;
  start_sending();
}

}  // namespace mv::board
