#include "boards/mps2-an505/board.h"

#include <algorithm>
#include <array>

#include "arch/cortex-m33/board_hooks.h"
#include "arch/cortex-m33/registers.h"
#include "arch/cortex-m33/scheduler.h"
#include "boards/mps2-an505/console.h"
#include "boards/mps2-an505/file_flash.h"
#include "boards/mps2-an505/link_uart.h"
#include "boards/mps2-an505/memory.h"
#include "boards/mps2-an505/seeded_entropy.h"
#include "boards/mps2-an505/timer_clock.h"
#include "boards/mps2-an505/trustzone.h"
#include "boards/mps2-an505/watchdog.h"

extern "C" std::uint32_t mv_handler_stack_start[], mv_handler_stack_end[];

namespace mv::board {
namespace {

template <std::size_t kBytes>
using Stack = std::array<std::uint32_t, kBytes / 4>;

constexpr std::uint32_t kUnusedWord = 0xa5a5a5a5;

alignas(8) __attribute__((section(".stack.thread"))) Stack<kThreadStackSize> thread_stack;
alignas(8) __attribute__((section(".stack.world"))) Stack<3072> world_stack;
alignas(8) __attribute__((section(".stack.handler"), used)) Stack<4096> handler_stack;

TimerClock the_clock;
LinkUart link;
FileFlash file_flash({reinterpret_cast<std::uint8_t*>(kFlash), kFlashFile});
SeededEntropy seeded_entropy(file_flash);
constinit arch::ProbedMemory memory(kApplication);  // constinit: other static objects copy its regions
arch::World the_world(memory, file_flash, arch::scheduler, the_clock);
bool have_entropy = false;

// One of the LEDs of the board's configuration controller (AN505, SCC CFG_REG1); the application has those of FPGAIO.
void set_system_led(bool on) { arch::reg32(kSystemLeds) = on ? 1 : 0; }

// What is below the stack pointer is unused so far.
void mark_handler_stack() {
  auto* pointer = reinterpret_cast<std::uint32_t*>(arch::read_msp());
  std::fill(mv_handler_stack_start, pointer - 16, kUnusedWord);
}

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
arch::ProbedMemory& application_memory() { return memory; }
arch::World& world() { return the_world; }

arch::GuestTraits guest_traits() {
  return {.rates = {kCoreClock, kCoreClock, kCoreClock, kCoreClock},
          .interrupts = kExternalInterrupts,
          .set_system_led = set_system_led};
}

image::Started started() { return image::read_handover(*reinterpret_cast<const image::Handover*>(kHandover)); }
image::Target image_target() { return {"mps2-an505", kMicrovisor, kMicrovisorSize}; }

bool entropy_ready() { return have_entropy; }

void run(void (*thread)()) { arch::scheduler.run(the_clock, the_world, thread_stack, world_stack, thread); }

StackRoom stack_room() {
  const auto* used = std::find_if(mv_handler_stack_start, mv_handler_stack_end,
                                  [](std::uint32_t word) { return word != kUnusedWord; });
  return {arch::scheduler.thread_stack_unused(), arch::scheduler.world_stack_unused(),
          static_cast<std::size_t>(used - mv_handler_stack_start) * 4};
}

void log(std::string_view text) { console::write_line(text); }
void log_part(std::string_view text) { console::write(text); }

}  // namespace mv::board

namespace mv::arch {

void board_panic_text(const char* text) { board::console::write_line(text); }

void board_feed_watchdog() { board::feed_watchdog(); }

void board_panic_number(const char* name, std::uint32_t value) {
  board::console::write("  ");
  board::console::write(name);
  board::console::write(" ");
  board::console::write_hex(value);
  board::console::write_line("");
}

}  // namespace mv::arch

extern "C" void mv_board_interrupt(std::uint32_t number) {
  if (number == mv::board::kLinkReceiveInterrupt) return mv::board::link.received();
  if (number == mv::board::kLinkTransmitInterrupt) return mv::board::link.transmitted();
  mv::arch::panic("an interrupt came that nothing enables");
}
