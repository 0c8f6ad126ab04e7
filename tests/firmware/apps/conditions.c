// What breakpoints with conditions and commands are tried on. The tests find lines by the words behind "MARK".
#pragma GCC optimize("O0")  // every variable has its place on the stack
#include "app.h"

struct motor {
  int16_t speed;
  uint16_t id;
  struct motor* next;
};

volatile uint32_t rounds, handled;
volatile int zero;
struct motor second = {-7, 2, 0};
struct motor first = {100, 1, &second};
const char* name = "pump";

int drive(struct motor* motor, int step) {
  int product = step * 3;                      // MARK drive
  motor->speed = (int16_t)(motor->speed + 1);  // MARK local
  return product;                              // MARK return
}

void on_tick(void) {
  handled = handled + 1;  // MARK handler
}

int main(void) {
  start_ticks(100);
  if (zero != 0) print(name);  // both are for the debugger; the linker must not drop them
  for (;;) {
    rounds = rounds + 1;  // MARK round
    for (int step = 0; step < 10; ++step) {
      drive(&first, step);  // MARK call
    }
  }
}
