#include "boards/board.h"

#include <algorithm>

#include "arch/cortex-m33/board_hooks.h"
#include "arch/cortex-m33/scheduler.h"
#include "boards/common/console.h"
#include "boards/common/stacks.h"
#include "boards/stm32u585/board_flash.h"
#include "boards/stm32u585/clocks.h"
#include "boards/stm32u585/link_uart.h"
#include "boards/stm32u585/memory.h"
#include "boards/stm32u585/nor_external_flash.h"
#include "boards/stm32u585/ownership.h"
#include "boards/stm32u585/pins.h"
#include "boards/stm32u585/random.h"
#include "boards/stm32u585/rcc_access.h"
#include "boards/stm32u585/registers.h"
#include "boards/stm32u585/timer_clock.h"
#include "boards/stm32u585/trustzone.h"
#include "boards/stm32u585/watchdog.h"

namespace mv::board {
namespace {

TimerClock the_clock;
LinkUart link;
BoardFlash board_flash;
NorExternalFlash the_external_flash(board_flash.nor());
Random random_numbers;
constinit arch::ProbedMemory memory(kApplication);  // constinit: other static objects copy its regions
arch::World the_world(memory, board_flash, arch::scheduler, the_clock);
bool have_entropy = false;

}  // namespace

void set_up() {
  mark_handler_stack();
  set_up_clocks();
  console::set_up();
  the_clock.set_up();
  divide_worlds();
  arch::set_fault_receiver(the_world);
  if (!board_flash.set_up()) console::write_line("NOR: none answers, so there are no updates");
  have_entropy = random_numbers.set_up();
  if (!have_entropy) console::write_line("random numbers: the generator does not start");
  link.set_up();
  listen_to_watchdog();
}

Clock& clock() { return the_clock; }
Flash& flash() { return board_flash; }
Entropy& entropy() { return random_numbers; }
LinkPort& link_port() { return link; }
ExternalFlash& external_flash() { return the_external_flash; }
arch::ProbedMemory& application_memory() { return memory; }
arch::World& world() { return the_world; }

arch::GuestTraits guest_traits() {
  return {.rates = {kCoreClock, kCoreClock, kCoreClock, kCoreClock},
          .interrupts = kExternalInterrupts,
          .set_system_led = set_system_led,
          .put_console = console::put_now,
          .shared_registers = rcc_access()};
}

image::Started started() { return image::read_handover(*reinterpret_cast<const image::Handover*>(kHandover)); }
image::Target image_target() { return {"stm32u585", kMicrovisor, kImageRoom}; }

bool entropy_ready() { return have_entropy; }

}  // namespace mv::board

namespace mv::arch {

void board_feed_watchdog() { board::feed_watchdog(); }

// They are in flash, and change with the image only.
void board_place_veneers(std::span<const std::uint32_t> veneers, std::uint32_t* place) {
  if (std::equal(veneers.begin(), veneers.end(), place)) return;
  board::InternalFlash flash;
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(veneers.data()), veneers.size_bytes());
  if (flash.erase_page(board::kVeneerPage) != Flash::Result::kOk ||
      flash.program(board::kVeneerPage, bytes) != Flash::Result::kOk) {
    panic("the veneers cannot be written");
  }
}

}  // namespace mv::arch

// Torn flash was read.
extern "C" void mv_board_nmi(std::uint32_t, std::uint32_t, std::uint32_t) {
  if (!mv::board::InternalFlash::note_ecc_error()) mv::arch::panic("an NMI came that nothing enables");
}

extern "C" void mv_board_interrupt(std::uint32_t number, std::uint32_t exc_return, std::uint32_t msp,
                                   std::uint32_t psp) {
  if (number == mv::board::interrupt::kIwdg) mv::arch::restart_hung(exc_return, msp, psp);
  using namespace mv::board;
  if (number == interrupt::kUsart3) return mv::board::link.line_idle();
  if (number == interrupt::kDmaChannel0 + kReceiveChannel) return mv::board::link.block_received();
  if (number == interrupt::kDmaChannel0 + kTransmitChannel) return mv::board::link.block_sent();
  mv::arch::panic("an interrupt came that nothing enables");
}
