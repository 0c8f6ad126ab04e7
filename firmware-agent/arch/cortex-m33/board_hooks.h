// What the exception entry asks of the board.
#pragma once

#include <cstdint>
#include <span>

#include "core/storage/restart_note.h"

namespace mv::arch {

// A person reads these lines: a fault of the microvisor itself. Works at any time, from any exception.
void board_panic_text(const char* text);

// Ends a line of `board_panic_text` with a number in hexadecimal.
void board_panic_number(const char* name, std::uint32_t value);

// The Secure thread runs: the watchdog, which resets the device otherwise, begins to count anew. It may be called as
// seldom as every kFeedUs.
void board_feed_watchdog();
inline constexpr std::uint64_t kFeedUs = 4'000'000;

// Makes the veneers of this image those that the application calls: `veneers` at `place`. Called before any
// constructor.
void board_place_veneers(std::span<const std::uint32_t> veneers, std::uint32_t* place);

// Resets the whole device.
[[noreturn]] void reset_device();

// The microvisor cannot go on: says why (about 50 characters), leaves a note of it and resets.
[[noreturn]] void panic(const char* why);

// Resets the device with this note for the next boot.
[[noreturn]] void restart(const storage::Restart& note);

// The watchdog has not been fed: resets the device with a note of where it hung. The arguments are those of the
// watchdog's exception.
[[noreturn]] void restart_hung(std::uint32_t exc_return, std::uint32_t msp, std::uint32_t psp);

// What the last `restart`, `panic` or fault of the microvisor left for this boot. Once: the note is gone then.
storage::Restart take_restart_note();

// Who is told of faults of the application.
class World;
void set_fault_receiver(World& world);

}  // namespace mv::arch

// An external interrupt that targets the Secure state, and NMI, with EXC_RETURN and the stack pointers as the handler
// found them.
extern "C" void mv_board_interrupt(std::uint32_t number, std::uint32_t exc_return, std::uint32_t msp,
                                   std::uint32_t psp);
extern "C" void mv_board_nmi(std::uint32_t exc_return, std::uint32_t msp, std::uint32_t psp);
