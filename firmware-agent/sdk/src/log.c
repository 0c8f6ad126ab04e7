#include "mv_log.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "mv_syscalls.h"

// The system call wants its buffer aligned to 512 bytes.
static uint8_t buffer[1024] __attribute__((aligned(512)));

void mv_log(const char *format, ...) {
  static int ready;
  if (!ready) ready = mvServerLoggingInit(buffer, sizeof buffer) == MV_STATUS_OKAY;
  char line[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  mvServerLog((const uint8_t *)line, (uint16_t)strlen(line));
}
