// Makes system calls from thread and from interrupt handlers, all the time, and checks what comes back.
#include "app.h"
#include "board.h"

enum { kMicroseconds = 0x010, kNoOp = 0x0d8, kSysClk = 0x018, kServerLog = 0x128, kLoggingInit = 0x120 };
enum { kOkay = 0 };

static uint32_t call(uint32_t offset, uint32_t a, uint32_t b) {
  uint32_t (*veneer)(uint32_t, uint32_t) = (uint32_t(*)(uint32_t, uint32_t))(kVeneers + offset + 1);
  return veneer(a, b);
}

static volatile uint32_t bad, handler_calls, bad_offset, bad_status;

static void expect(uint32_t got, uint32_t wanted, uint32_t offset) {
  if (got == wanted) return;
  bad = 1;
  bad_status = got;
  bad_offset = offset;
}

static void make_calls(uint64_t* last) {
  uint64_t now = 0;
  uint32_t clock = 0;
  expect(call(kNoOp, 0, 0), kOkay, kNoOp);
  expect(call(kMicroseconds, (uint32_t)&now, 0), kOkay, kMicroseconds);
  expect(now >= *last, 1, 1);
  *last = now;
  expect(call(kSysClk, (uint32_t)&clock, 0), kOkay, kSysClk);
  expect(clock, kClock, 2);
}

void on_tick(void) {
  static uint64_t last;
  make_calls(&last);
  handler_calls = handler_calls + 1;
}

int main(void) {
  static uint64_t last;
  static uint8_t log_buffer[4096] __attribute__((aligned(512)));
  static const char text[] = "a line of log";
  print("calls: begin\r\n");
  expect(call(kMicroseconds, kSecureRam, 0) != kOkay, 1, 3);      // Secure RAM
  expect(call(kMicroseconds, kSecureCode, 0) != kOkay, 1, 4);      // Secure code
  expect(call(kMicroseconds, kRamEnd - 4, 0) != kOkay, 1, 5);  // half of it beyond the RAM
  expect(call(kMicroseconds, kCode, 0) != kOkay, 1, 6);      // code is not to be written
  expect(call(kLoggingInit, (uint32_t)log_buffer, sizeof(log_buffer)), kOkay, kLoggingInit);
  start_ticks(4000);
  for (uint32_t round = 1; bad == 0; ++round) {
    make_calls(&last);
    if (round % 8 == 0) (void)call(kServerLog, (uint32_t)text, sizeof(text) - 1);
    if (round % 2000 == 0) {
      print("calls: good ");
      print_hex(handler_calls);
      print("\r\n");
    }
  }
  print("calls: BAD ");
  print_hex(bad_offset);
  print(" status ");
  print_hex(bad_status);
  print("\r\n");
  return 0;
}
