// Erases, writes and reads the external flash, and counts its ticks meanwhile: a call that waits lets interrupts in.
#include "app.h"
#include "board.h"

enum { kOpen = 0x220, kErase = 0x228, kWrite = 0x218, kRead = 0x230, kOkay = 0, kUnavailable = 0x0a };
enum { kSector = 4096, kSectors = 8, kTicksPerSecond = 1000 };

static uint32_t call(uint32_t offset, uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  uint32_t (*veneer)(uint32_t, uint32_t, uint32_t, uint32_t) =
      (uint32_t(*)(uint32_t, uint32_t, uint32_t, uint32_t))(kVeneers + offset + 1);
  return veneer(a, b, c, d);
}

static uint32_t bad, handle;
static volatile uint32_t in_interrupt;
static volatile uint32_t time_is_judged = 1;  // a debugger clears it: the flash goes on while we are halted, our ticks do not
static uint8_t written[1000], read[kSector];

static void expect(const char* what, uint32_t got, uint32_t wanted) {
  if (got == wanted) return;
  bad = 1;
  print("flash: BAD ");
  print(what);
  print(" ");
  print_hex(got);
  print("\r\n");
}

void on_tick(void) { in_interrupt = call(kErase, handle, 0, kSector, 0); }

static uint32_t count_erased(uint32_t bytes) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < bytes; ++i) count += read[i] == 0xff;
  return count;
}

static void erase(void) {
  print("flash: erasing\r\n");
  const uint32_t before = ticks;
  expect("erase", call(kErase, handle, 0, kSectors * kSector, 0), kOkay);
  const uint32_t passed = ticks - before;
  // Half of the ticks that the chip leaves time for, as the machine below may be busy.
  if (time_is_judged) expect("ticks during the erase", passed > kSectors * kEraseMs / 2, 1);
  expect("no erase in an interrupt", in_interrupt, kUnavailable);
}

static void write_and_read(uint32_t round) {
  const uint32_t at = 700;
  for (uint32_t i = 0; i < sizeof(written); ++i) written[i] = (uint8_t)(i * 7 + round);
  expect("write", call(kWrite, handle, at, sizeof(written), (uint32_t)written), kOkay);
  expect("read", call(kRead, handle, 0, kSector, (uint32_t)read), kOkay);
  for (uint32_t i = 0; i < sizeof(written); ++i) expect("byte", read[at + i], written[i]);
  expect("the rest is erased", count_erased(at), at);
  for (uint32_t i = 0; i < sizeof(written); ++i) written[i] = 0x0f;
  expect("write again", call(kWrite, handle, at, 1, (uint32_t)written), kOkay);
  expect("read again", call(kRead, handle, at, 1, (uint32_t)read), kOkay);
  expect("only bits to zero", read[0], 0x0f & (uint8_t)round);
}

int main(void) {
  expect("open", call(kOpen, (uint32_t)&handle, 0, 0, 0), kOkay);
  start_ticks(kTicksPerSecond);
  for (uint32_t round = 1; bad == 0; ++round) {
    erase();
    write_and_read(round);
    if (bad == 0) print("flash: good\r\n");
  }
  return 0;
}
