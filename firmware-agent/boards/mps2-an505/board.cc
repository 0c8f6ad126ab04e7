#include "boards/board.h"

#include <algorithm>

#include "arch/cortex-m33/board_hooks.h"
#include "arch/cortex-m33/registers.h"
#include "arch/cortex-m33/scheduler.h"
#include "boards/common/console.h"
#include "boards/common/stacks.h"
#include "boards/mps2-an505/file_external_flash.h"
#include "boards/mps2-an505/file_flash.h"
#include "boards/mps2-an505/link_uart.h"
#include "boards/mps2-an505/memory.h"
#include "boards/mps2-an505/seeded_entropy.h"
#include "boards/mps2-an505/timer_clock.h"
#include "boards/mps2-an505/trustzone.h"
#include "boards/mps2-an505/watchdog.h"
#include "core/platform/flash_map.h"

namespace mv::board {
namespace {

TimerClock the_clock;
LinkUart link;
FileFlash file_flash({reinterpret_cast<std::uint8_t*>(kFlash), kFlashFile});
FileExternalFlash the_external_flash({reinterpret_cast<std::uint8_t*>(kFlash + flash_map::kExternalFlash.offset),
                                      flash_map::kExternalFlash.size},
                                     the_clock);
SeededEntropy seeded_entropy(file_flash);
constinit arch::ProbedMemory memory(kApplication);  // constinit: other static objects copy its regions
arch::World the_world(memory, file_flash, arch::scheduler, the_clock);
bool have_entropy = false;

// One of the LEDs of the board's configuration controller (AN505, SCC CFG_REG1).
void set_system_led(bool on) { arch::reg32(kSystemLeds) = (arch::reg32(kSystemLeds) & ~1U) | (on ? 1 : 0); }

// Of the configuration controller, which is Secure as a whole: the other LEDs, and which board it is.
constexpr RegisterAccess kSharedRegisters[] = {
    {kScc + 0x004, 0xff, 0xfe},        // CFG_REG1: LEDs 1 to 7; LED 0 is the system's
    {kScc + 0xff8, 0xffffffff, 0x00},  // SCC_AID
    {kScc + 0xffc, 0xffffffff, 0x00},  // SCC_ID
};

}  // namespace

void set_up() {
  mark_handler_stack();
  console::set_up();
  the_clock.set_up();
  divide_worlds();
  arch::set_fault_receiver(the_world);
  have_entropy = seeded_entropy.set_up();
  link.set_up();
}

Clock& clock() { return the_clock; }
Flash& flash() { return file_flash; }
Entropy& entropy() { return seeded_entropy; }
LinkPort& link_port() { return link; }
ExternalFlash& external_flash() { return the_external_flash; }
arch::ProbedMemory& application_memory() { return memory; }
arch::World& world() { return the_world; }

arch::GuestTraits guest_traits() {
  return {.rates = {kCoreClock, kCoreClock, kCoreClock, kCoreClock},
          .interrupts = kExternalInterrupts,
          .set_system_led = set_system_led,
          .put_console = console::put_now,
          .shared_registers = kSharedRegisters};
}

image::Started started() { return image::read_handover(*reinterpret_cast<const image::Handover*>(kHandover)); }
image::Target image_target() { return {"mps2-an505", kMicrovisor, kMicrovisorSize}; }

bool entropy_ready() { return have_entropy; }

}  // namespace mv::board

namespace mv::arch {

void board_feed_watchdog() { board::feed_watchdog(); }

void board_place_veneers(std::span<const std::uint32_t> veneers, std::uint32_t* place) {
  std::copy(veneers.begin(), veneers.end(), place);
}

}  // namespace mv::arch

// The watchdog's.
extern "C" void mv_board_nmi(std::uint32_t exc_return, std::uint32_t msp, std::uint32_t psp) {
  mv::arch::restart_hung(exc_return, msp, psp);
}

extern "C" void mv_board_interrupt(std::uint32_t number, std::uint32_t, std::uint32_t, std::uint32_t) {
  if (number == mv::board::kLinkReceiveInterrupt) return mv::board::link.received();
  if (number == mv::board::kLinkTransmitInterrupt) return mv::board::link.transmitted();
  mv::arch::panic("an interrupt came that nothing enables");
}
