// The serial line: USART1, which B-U585I-IOT02A has on the virtual COM port of its ST-LINK. 115200 baud, 8N1, from the
// clock as the reset leaves it. Items that change clocks, USART1 or its pins put them back before they end.
//
// Lines go out by `write_line` (conformance.h). Only output.cc touches the UART.
#pragma once

#include <cstdint>

namespace conformance {

void set_up_line();

// Forgets what has come and was not read.
void drop_input();

// What has come since the last call, up to the next end of a line, without it. False: the line has not ended yet. One
// that is too long comes as "?".
bool read_line(char* text, std::uint32_t size);

}  // namespace conformance
