// What Arm semihosting asks for that means something here: text, and the end of the program.
//
// There is no host to open files on. Source: Arm "Semihosting for AArch32 and AArch64", 5 (T32: BKPT 0xAB; request in
// r0, parameter in r1, result in r0).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/debug/console_text.h"
#include "core/platform/debug_unit.h"

namespace mv::debug {

// Where lines go that the application writes. Called in the agent's exception or on the Secure thread.
class LineLog {
 public:
  virtual void application_wrote(std::string_view line) = 0;

 protected:
  ~LineLog() = default;
};

namespace semihosting {

// The exit status, 0 to 255, if the application stands at `BKPT 0xAB` and asks for SYS_EXIT (0x18) or SYS_EXIT_EXTENDED
// (0x20); none if it does not. An end for another reason than "application exit" is status 1.
std::optional<std::uint8_t> exit_status(const Context& context, ApplicationMemory& memory);

// Whether it asks for text to be written, or for what a C library asks before: SYS_WRITEC, SYS_WRITE0; SYS_WRITE,
// SYS_OPEN, SYS_CLOSE and SYS_ISTTY.
bool is_text(const Context& context, ApplicationMemory& memory);

// Carries such requests out: text goes to the debugger's console if there is one, and line by line to the log.
class Output {
 public:
  static constexpr std::size_t kLongestLine = 256;     // a longer one is more lines
  static constexpr std::uint32_t kLongestText = 1024;  // bytes of one request; SYS_WRITE tells how many are left

  explicit Output(ConsoleText& console) : console_(console) {}

  // None until then. `log` must outlive this.
  void keep_lines_in(LineLog& log) { log_ = &log; }

  // `is_text` holds. Sets the result; pc stays. `to_console`: a debugger is attached.
  void carry_out(Context& context, ApplicationMemory& memory, bool to_console);

  // A line that was begun is one.
  void end_line();

 private:
  std::uint32_t write(std::uint32_t block, ApplicationMemory& memory);
  void write_string(std::uint32_t address, ApplicationMemory& memory);
  void put(char character);

  ConsoleText& console_;
  LineLog* log_ = nullptr;
  std::array<char, kLongestLine> line_{};
  std::size_t used_ = 0;
};

}  // namespace semihosting
}  // namespace mv::debug
