// What the test applications share: start-up, the console on UART2, SysTick.
#pragma once

#include <stdint.h>

#define REG32(address) (*(volatile uint32_t*)(address))

extern volatile uint32_t ticks;  // counted by the SysTick handler in app.c

void print(const char* text);
void print_hex(uint32_t value);
void start_ticks(uint32_t per_second);
void use_fp(void);

int main(void);
// Each application may have its own.
void on_tick(void);
void on_interrupt(uint32_t number);
