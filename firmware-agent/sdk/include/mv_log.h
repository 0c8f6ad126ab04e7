// One log line to the cloud, printf style.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

// Formats at most 255 characters and hands them to mvServerLog; the first call sets logging up. Not for interrupts.
__attribute__((format(printf, 1, 2))) void mv_log(const char *format, ...);

#ifdef __cplusplus
}
#endif
