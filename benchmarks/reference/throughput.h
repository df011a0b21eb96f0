// How fast messages went.
#pragma once

#include <stdio.h>

// Writes `count` messages of `size` bytes that took `elapsed` microseconds together.
static inline void write_throughput(FILE* result, size_t size, long count, double elapsed) {
  fprintf(result, "{\"size\":%zu,\"messages\":%ld,\"seconds\":%.6f,", size, count, elapsed / 1e6);
  fprintf(result, "\"messagesPerSecond\":%.2f,\"megabytesPerSecond\":%.4f}", (double)count / elapsed * 1e6,
          (double)count * (double)size / elapsed);
}
