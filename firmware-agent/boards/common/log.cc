// What a board says: lines of the log and of the microvisor's last words, all on its console.
#include "arch/cortex-m33/board_hooks.h"
#include "boards/board.h"
#include "boards/common/console.h"

namespace mv::board {

void log(std::string_view text) { console::write_line(text); }
void log_part(std::string_view text) { console::write(text); }

}  // namespace mv::board

namespace mv::arch {

void board_panic_text(const char* text) { board::console::write_line(text); }

void board_panic_number(const char* name, std::uint32_t value) {
  board::console::write("  ");
  board::console::write(name);
  board::console::write(" ");
  board::console::write_hex(value);
  board::console::write_line("");
}

}  // namespace mv::arch
