// The Non-secure code that items run, and the places in it that they wait for. All of it lies in Non-secure RAM.
#pragma once

#include <cstdint>

extern "C" {
// Straight code with labels on its instructions: movs (2 bytes), movw (4), add.w (4), nop, bx lr. Returns 0x1235.
std::uint32_t ns_straight();
extern const std::uint16_t ns_straight_wide[], ns_straight_add[], ns_straight_nop[], ns_straight_end[];

// Taken and not taken branches, an IT block; each label is the next instruction that is executed.
std::uint32_t ns_branches();
extern const std::uint16_t ns_branches_if[], ns_branches_taken[], ns_branches_skipped[], ns_branches_loop[],
    ns_branches_end[];

std::uint32_t ns_bkpt();  // bkpt 0, then returns 7
extern const std::uint16_t ns_bkpt_at[];

std::uint32_t ns_bkpt_masked();      // the same with PRIMASK and FAULTMASK set
std::uint32_t ns_bkpt_in_handler();  // the same in PendSV
extern const std::uint16_t ns_handler_bkpt[];

std::uint32_t ns_read(std::uint32_t address);
std::uint32_t ns_write(std::uint32_t address, std::uint32_t value);
extern const std::uint16_t ns_write_after[];  // the instruction after the store
std::uint32_t ns_write_half(std::uint32_t address, std::uint32_t value);
std::uint32_t ns_write_byte(std::uint32_t address, std::uint32_t value);

std::uint32_t ns_pend();  // pends PendSV_NS, which takes it; returns how often its handler has run
std::uint32_t ns_call(std::uint32_t function);
extern const std::uint16_t ns_pend_return[], ns_pend_after[];

std::uint32_t ns_handler_reads(std::uint32_t address);  // in PendSV

extern std::uint32_t ns_monitor_count, ns_pendsv_count, ns_words[8];
}
