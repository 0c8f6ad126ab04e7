#include "nonsecure.h"

extern "C" {

std::uint32_t ns_monitor_count, ns_pendsv_count, ns_words[8];
volatile std::uint32_t ns_pendsv_job, ns_pendsv_argument,
    ns_pendsv_result;  // what the handler does: 0 nothing, 1 bkpt, 2 read

__asm(
    ".syntax unified\n"
    ".thumb\n"
    ".section .text.ns_code, \"ax\"\n"
    ".macro label name\n"
    ".global \\name\n"
    "\\name:\n"
    ".endm\n"
    ".macro function name\n"
    ".balign 4\n"
    ".global \\name\n"
    ".type \\name, %function\n"
    ".thumb_func\n"
    "\\name:\n"
    ".endm\n"

    "function ns_straight\n"
    "movs r0, #1\n"
    "label ns_straight_wide\n"
    "movw r1, #0x1234\n"
    "label ns_straight_add\n"
    "add.w r0, r0, r1\n"
    "label ns_straight_nop\n"
    "nop\n"
    "label ns_straight_end\n"
    "bx lr\n"

    "function ns_branches\n"
    "movs r0, #0\n"
    "label ns_branches_if\n"
    "beq ns_branches_taken\n"
    "udf #0\n"
    "label ns_branches_taken\n"
    "itt ne\n"
    "label ns_branches_skipped\n"
    "addne r0, #1\n"
    "addne r0, #2\n"
    "movs r1, #2\n"
    "label ns_branches_loop\n"
    "subs r1, #1\n"
    "bne ns_branches_loop\n"
    "label ns_branches_end\n"
    "bx lr\n"

    "function ns_bkpt\n"
    "movs r0, #7\n"
    "label ns_bkpt_at\n"
    "bkpt 0\n"
    "bx lr\n"

    "function ns_bkpt_masked\n"
    "push {r4, lr}\n"
    "cpsid i\n"
    "cpsid f\n"
    "bl ns_bkpt\n"
    "cpsie f\n"
    "cpsie i\n"
    "pop {r4, pc}\n"

    "function ns_read\n"
    "ldr r0, [r0]\n"
    "bx lr\n"

    "function ns_write\n"
    "str r1, [r0]\n"
    "label ns_write_after\n"
    "nop\n"
    "nop\n"
    "bx lr\n"

    "function ns_write_half\n"
    "strh r1, [r0]\n"
    "nop\n"
    "bx lr\n"

    "function ns_write_byte\n"
    "strb r1, [r0]\n"
    "nop\n"
    "bx lr\n"

    "function ns_pend\n"
    "ldr r1, =0xe000ed04\n"
    "ldr r2, =0x10000000\n"
    "str r2, [r1]\n"
    "dsb\n"
    "isb\n"
    "label ns_pend_after\n"
    "ldr r0, =ns_pendsv_count\n"
    "ldr r0, [r0]\n"
    "bx lr\n"

    "function ns_call\n"
    "push {r4, lr}\n"
    "blx r0\n"
    "pop {r4, pc}\n"

    "function ns_pendsv\n"
    "ldr r0, =ns_pendsv_count\n"
    "ldr r1, [r0]\n"
    "adds r1, #1\n"
    "str r1, [r0]\n"
    "ldr r2, =ns_pendsv_job\n"
    "ldr r2, [r2]\n"
    "cmp r2, #1\n"
    "bne 1f\n"
    "label ns_handler_bkpt\n"
    "bkpt 0\n"
    "1:\n"
    "cmp r2, #2\n"
    "bne 2f\n"
    "ldr r0, =ns_pendsv_argument\n"
    "ldr r0, [r0]\n"
    "ldr r0, [r0]\n"
    "2:\n"
    "label ns_pend_return\n"
    "bx lr\n"
    ".ltorg\n");

void ns_pendsv();

std::uint32_t ns_bkpt_in_handler() {
  ns_pendsv_job = 1;
  const std::uint32_t count = ns_pend();
  ns_pendsv_job = 0;
  return count;
}

std::uint32_t ns_handler_reads(std::uint32_t address) {
  ns_pendsv_argument = address;
  ns_pendsv_job = 2;
  const std::uint32_t count = ns_pend();
  ns_pendsv_job = 0;
  return count;
}

void ns_debug_monitor() {
  ++ns_monitor_count;
  *reinterpret_cast<volatile std::uint32_t*>(0xe000edfc) = 0;  // DEMCR
  *reinterpret_cast<volatile std::uint32_t*>(0xe000ed30) = 0x1f;
}

void ns_unexpected() {
  for (;;) {
  }
}

using Vector = void (*)();
__attribute__((section(".ns_vectors"), used, aligned(1024))) const Vector ns_vectors[16] = {
    nullptr,          ns_unexpected, ns_unexpected, ns_unexpected, ns_unexpected, ns_unexpected,
    ns_unexpected,    ns_unexpected, nullptr,       nullptr,       nullptr,       ns_unexpected,
    ns_debug_monitor, nullptr,       ns_pendsv,     ns_unexpected};
}
