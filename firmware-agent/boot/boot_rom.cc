// The boot ROM of the emulated board: checks the signed microvisor image in flash, copies it to where it runs and
// starts it. A bad image is named on the console, and nothing runs.
#include <array>
#include <cstring>

#include "boards/mps2-an505/console.h"
#include "boards/mps2-an505/memory.h"
#include "boot/image.h"
#include "boot/image_key.h"
#include "core/platform/flash_map.h"

extern "C" {
extern std::uint32_t boot_stack_end;
[[noreturn]] void boot();
}

namespace {

using mv::board::console::write_line;

auto* const kVectorTable = reinterpret_cast<volatile std::uint32_t*>(0xe000ed08);  // VTOR

[[noreturn]] void stop() {
  for (;;) __asm volatile("cpsid i\n wfi");
}

void fault() {
  write_line("boot: fault in the boot ROM; power the device off and on");
  stop();
}

[[noreturn]] void start_image(const std::uint32_t* vectors) {
  *kVectorTable = reinterpret_cast<std::uint32_t>(vectors);
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
                                  {Boot_Reset, fault, fault, fault, fault, fault, fault, nullptr, nullptr, nullptr,
                                   fault, fault, nullptr, fault, fault}};

void boot() {
  using namespace mv;
  constexpr flash_map::Area kPlace = flash_map::kMicrovisor;
  constexpr boot::RunArea kRunArea = {board::kMicrovisor, board::kMicrovisorSize};
  board::console::set_up();
  const std::span stored(reinterpret_cast<const std::uint8_t*>(board::kFlash + kPlace.offset), kPlace.size);
  const boot::ImageError error = boot::check_image(stored, kRunArea, kImageKey);
  if (error != boot::ImageError::kNone) {
    board::console::write("boot: ");
    write_line(boot::describe(error));
    stop();
  }
  const auto& header = *reinterpret_cast<const boot::ImageHeader*>(stored.data());
  std::memcpy(reinterpret_cast<void*>(header.load_address), stored.data() + sizeof(header), header.length);
  start_image(reinterpret_cast<const std::uint32_t*>(header.load_address));
}

// The C library's way out; nothing here takes it.
extern "C" [[noreturn]] void _exit(int) { stop(); }
