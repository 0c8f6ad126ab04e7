// Never comes back from its SysTick handler.
#include "app.h"

void on_tick(void) {
  if (ticks != 20) return;
  print("handler: spinning\r\n");
  for (;;) {
  }
}

int main(void) {
  start_ticks(1000);
  for (;;) {
  }
}
