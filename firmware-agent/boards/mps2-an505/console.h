// UART1: what the boot ROM and the microvisor tell people. Polled, so that it works at any time.
#pragma once

#include <cstdint>
#include <string_view>

namespace mv::board::console {

void set_up();
void write(std::string_view text);
void write_line(std::string_view text);
void write_hex(std::uint32_t value);
void write_decimal(std::uint64_t value);

}  // namespace mv::board::console
