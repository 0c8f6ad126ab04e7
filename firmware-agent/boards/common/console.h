// What the boot ROM and the microvisor tell people, on a UART of the board. Polled, so that it works at any time.
#pragma once

#include <cstdint>
#include <string_view>

namespace mv::board::console {

// The board's: its UART as the console, and a character for it, which is given up if nobody takes it.
void set_up();
void put(char character);

// The same at once: false if there is no room for it.
bool put_now(char character);

void write(std::string_view text);
void write_line(std::string_view text);
void write_hex(std::uint32_t value);
void write_decimal(std::uint64_t value);

}  // namespace mv::board::console
