// FP registers and core registers in thread and interrupt, checked all the time: whoever mixes them up is found out.
#include "app.h"

static volatile uint32_t bad, handler_rounds;

// Fills s0-s31 and r4-r11 with `seed` + n, waits a while, and counts what changed.
__attribute__((noinline)) static uint32_t check(uint32_t seed, uint32_t wait) {
  uint32_t wrong;
  __asm volatile(
      "mov r0, %1\n"
      ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
      "vmov s\\n, r0\n adds r0, #1\n"
      ".endr\n"
      "mov r4, %1\n adds r5, r4, #1\n adds r6, r4, #2\n add r8, r4, #3\n add r9, r4, #4\n add r10, r4, #5\n"
      "add r11, r4, #6\n"
      "mov r1, %2\n 1: subs r1, #1\n bne 1b\n"
      "movs r1, #0\n mov r0, %1\n"
      ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
      "vmov r2, s\\n\n cmp r2, r0\n it ne\n addne r1, #1\n adds r0, #1\n"
      ".endr\n"
      "mov r0, %1\n cmp r4, r0\n it ne\n addne r1, #0x100\n"
      "adds r0, #1\n cmp r5, r0\n it ne\n addne r1, #0x100\n"
      "adds r0, #1\n cmp r6, r0\n it ne\n addne r1, #0x100\n"
      "adds r0, #1\n cmp r8, r0\n it ne\n addne r1, #0x100\n"
      "adds r0, #1\n cmp r9, r0\n it ne\n addne r1, #0x100\n"
      "adds r0, #1\n cmp r10, r0\n it ne\n addne r1, #0x100\n"
      "adds r0, #1\n cmp r11, r0\n it ne\n addne r1, #0x100\n"
      "mov %0, r1\n"
      : "=&r"(wrong)
      : "r"(seed), "r"(wait)
      : "r0", "r1", "r2", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "cc", "memory", "s0", "s1", "s2", "s3", "s4",
        "s5", "s6", "s7", "s8", "s9", "s10", "s11", "s12", "s13", "s14", "s15", "s16", "s17", "s18", "s19", "s20",
        "s21", "s22", "s23", "s24", "s25", "s26", "s27", "s28", "s29", "s30", "s31");
  return wrong;
}

void on_tick(void) {
  const uint32_t wrong = check(0x10000000 + ticks * 64, 300);
  if (wrong != 0) bad = bad | wrong;
  handler_rounds = handler_rounds + 1;
}

int main(void) {
  use_fp();
  start_ticks(2000);
  print("fp: begin\r\n");
  for (uint32_t round = 1; bad == 0; ++round) {
    const uint32_t wrong = check(round * 64, 20000);
    if (wrong != 0) bad = bad | wrong;
    if (round % 2000 == 0) {
      print("fp: good ");
      print_hex(ticks);
      print("\r\n");
    }
  }
  print("fp: BAD ");
  print_hex(bad);
  print("\r\n");
  return 0;
}
