// What messages hold: each end sends a pattern of its own, but for the first byte, which says what the message is for.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Prime, so that a message shifted by any power of two differs.
#define PERIOD 251

enum purpose {
  TIMED,    // nothing to do but answer
  CHECKED,  // of the warm-up: compared byte by byte
  LAST,     // of its phase: compared as well
};

static inline void fill_pattern(unsigned char* buffer, size_t size, int is_client) {
  for (size_t i = 0; i < size; i++) buffer[i] = (unsigned char)(i % PERIOD + (is_client ? 1 : 5));
}

// Compares what has arrived with what the other end sends, and clears it, so that the next message has to write it
// again.
static inline void check_pattern(unsigned char* arrived, const unsigned char* expected, size_t size) {
  if (memcmp(arrived + 1, expected + 1, size - 1) != 0) {
    fprintf(stderr, "wrong data in a message of %zu bytes\n", size);
    exit(1);
  }
  memset(arrived, 0xff, size);
}
