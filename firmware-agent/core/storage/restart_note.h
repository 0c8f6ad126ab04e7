// Why the microvisor reset itself: a note in Secure RAM, which a reset leaves alone and a loss of power does not.
//
// Whoever resets the device writes it, from any exception; the next boot reads it, once. A magic number and a CRC tell
// a note from what RAM holds after power-on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace mv::storage {

struct Restart {
  enum class Cause : std::uint32_t {
    kNone,    // nobody left a note: power-on, or a reset from outside
    kFault,   // a fault in Secure code
    kError,   // the microvisor met what must not happen; `why` says what
    kUpdate,  // another microvisor takes over; `why` says which
    kHung,    // the watchdog was not fed; no pc if the application ran
  };

  Cause cause = Cause::kNone;
  std::uint32_t pc = 0;  // of the fault, or of the code that gave up
  std::uint32_t lr = 0;
  std::uint32_t cfsr = 0, bfar = 0, sfsr = 0, sfar = 0;  // fault registers, ARM DDI 0553B, D1.2; faults only
  std::array<char, 60> why{};                            // ends with a NUL

  // Copies what fits of `text`.
  void set_why(std::string_view text);
};

// Lies where start-up code initialises nothing, so it has no constructor and is worth nothing before `take` or `write`.
class RestartNote {
 public:
  void write(const Restart& restart);

  // What was written before the reset; Cause::kNone if nothing was. The note is gone then: the next reset has its own.
  Restart take();

 private:
  std::uint32_t magic_;
  std::uint32_t check_;  // CRC-32 of restart_
  std::array<std::uint8_t, sizeof(Restart)> restart_;
};

// One sentence for a person, in `out`: cut if it does not fit, empty if nobody left a note.
std::string_view describe(const Restart& restart, std::span<char> out);

}  // namespace mv::storage
