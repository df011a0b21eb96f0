// The two ends of a measurement meet through whoever started them: each line on stdout becomes a line on the other's
// stdin. They swap addresses first, and "done" last; then each may say what it has measured.
#pragma once

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONGEST_LINE 4096

static inline void say(const char* format, ...) __attribute__((format(printf, 1, 2)));
static inline void say(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vprintf(format, arguments);
  va_end(arguments);
  putchar('\n');
  fflush(stdout);
}

// Waits for the other end's next line.
static inline void hear(char line[LONGEST_LINE]) {
  for (size_t used = 0; used < LONGEST_LINE; used++) {
    if (read(STDIN_FILENO, line + used, 1) != 1) {
      fprintf(stderr, "the other end has gone\n");
      exit(1);
    }
    if (line[used] != '\n') continue;
    line[used] = '\0';
    return;
  }
  fprintf(stderr, "the other end's line is too long\n");
  exit(1);
}

// Whether the other end has said something.
static inline int is_heard(void) {
  struct pollfd input = {STDIN_FILENO, POLLIN, 0};
  return poll(&input, 1, 0) > 0;
}
