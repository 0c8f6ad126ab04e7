// What runs first: chooses one of the two signed microvisor images in flash (core/image/choice.h), puts it where it
// runs and starts it. What it passes over, and what it starts, it says on the console. The board's part is
// boot_board.h.
#include <array>

#include "arch/cortex-m33/registers.h"
#include "boards/common/console.h"
#include "boot/image_key.h"
#include "boot/rom_crypto.h"
#include "boot_board.h"
#include "core/image/choice.h"

extern "C" {
extern std::uint32_t boot_stack_end;
[[noreturn]] void boot();
}

namespace {

using mv::board::console::write_line;

[[noreturn]] void stop() {
  for (;;) __asm volatile("cpsid i\n wfi");
}

// Also that of an image that faults, or hangs until the watchdog bites, before it has a vector table of its own. On
// trial it uses up its starts that way.
void fault() {
  const auto& handover = *reinterpret_cast<const mv::image::Handover*>(mv::boot::Board::kHandover);
  if (mv::image::read_handover(handover).on_trial) {
    write_line("boot: the microvisor on trial faulted as it started; restarting");
    mv::arch::reg32(mv::arch::kResetControl) = mv::arch::kResetKey | mv::arch::kRequestReset;
    stop();
  }
  write_line("boot: fault in the boot ROM, or as the microvisor started; power the device off and on");
  stop();
}

void nmi() {
  if (!mv::boot::Board::handle_nmi()) fault();
}

// The image sets VTOR itself.
[[noreturn]] void start_image(const std::uint32_t* vectors) {
  __asm volatile("dsb\n isb\n msr msp, %0\n bx %1" : : "r"(vectors[0]), "r"(vectors[1]));
  __builtin_unreachable();
}

}  // namespace

extern "C" __attribute__((naked)) void Boot_Reset() { __asm volatile("b boot"); }

namespace {

struct VectorTable {
  std::uint32_t* stack;
  std::array<void (*)(), 15> system;
};

}  // namespace

extern "C" __attribute__((section(".vectors"), used))
const VectorTable boot_vectors = {&boot_stack_end,
                                  {Boot_Reset, nmi, fault, fault, fault, fault, fault, nullptr, nullptr, nullptr, fault,
                                   fault, nullptr, fault, fault}};

namespace {

void say_slot(mv::image::Slot slot) {
  mv::board::console::write("boot: slot ");
  mv::board::console::write(mv::image::name_of(slot));
  mv::board::console::write(": ");
}

class ConsoleLog final : public mv::image::ChoiceLog {
 public:
  void passed_over(mv::image::Slot slot, std::string_view why) override {
    say_slot(slot);
    write_line(why);
  }
};

void say_start(const mv::image::Start& start, const mv::image::BootState& state) {
  say_slot(start.slot);
  mv::board::console::write("version ");
  mv::board::console::write(mv::image::version_text(start.header.version).data());
  if (start.on_trial) {
    mv::board::console::write(", on trial, start ");
    mv::board::console::write_decimal(state.trial_starts);
    mv::board::console::write(" of ");
    mv::board::console::write_decimal(mv::image::kTrialStarts);
  }
  write_line("");
}

}  // namespace

void boot() {
  using namespace mv;
  boot::Board board;
  boot::RomCrypto crypto(kImageKey);
  image::BootRecords records(board.flash());
  ConsoleLog log;
  records.mount();
  board.prepare(records, crypto);
  auto start = image::choose(board.flash(), records, boot::Board::kTarget, crypto, log);
  if (!start) start = board.last_resort(records, crypto);
  if (!start) {
    write_line(boot::Board::kNothingToStart);
    stop();
  }
  say_start(*start, records.state());
  if (!board.place(*start, crypto)) {
    write_line("boot: the flash cannot be used any more; power the device off and on");
    stop();
  }
  *reinterpret_cast<image::Handover*>(boot::Board::kHandover) = image::make_handover(*start);
  board.start_watchdog();
  start_image(reinterpret_cast<const std::uint32_t*>(start->header.load_address));
}

// The C library's way out; nothing here takes it.
extern "C" [[noreturn]] void _exit(int) { stop(); }
