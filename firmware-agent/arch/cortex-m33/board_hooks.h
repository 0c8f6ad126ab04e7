// What the exception entry asks of the board.
#pragma once

#include <cstdint>

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

// Resets the whole device.
[[noreturn]] void reset_device();

// The microvisor cannot go on: says why (about 50 characters), leaves a note of it and resets.
[[noreturn]] void panic(const char* why);

// Resets the device with this note for the next boot.
[[noreturn]] void restart(const storage::Restart& note);

// What the last `restart`, `panic` or fault of the microvisor left for this boot. Once: the note is gone then.
storage::Restart take_restart_note();

// Who is told of faults of the application.
class World;
void set_fault_receiver(World& world);

}  // namespace mv::arch

// An external interrupt that targets the Secure state.
extern "C" void mv_board_interrupt(std::uint32_t number);
