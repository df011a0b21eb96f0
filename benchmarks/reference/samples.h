// Times of round trips, and what they say. No sample is dropped.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A phase ends when it has as many.
#define MOST_SAMPLES (1 << 20)

static double samples[MOST_SAMPLES];

// Touches the pages before they are timed.
static inline void prepare_samples(void) {
  memset(samples, 0xff, sizeof(samples));
}

static inline int compare_samples(const void* left, const void* right) {
  double a = *(const double*)left, b = *(const double*)right;
  return (a > b) - (a < b);
}

static inline void sort_samples(long count) {
  qsort(samples, (size_t)count, sizeof(samples[0]), compare_samples);
}

// The nearest-rank percentile of ascending samples, in thousandths.
static inline double per_mille(long count, long thousandths) {
  long rank = (thousandths * count + 999) / 1000;
  return samples[rank > 0 ? rank - 1 : 0];
}

// Writes `count` round trips of `size` bytes that took `elapsed` microseconds together, as half round trips.
static inline void write_round_trips(FILE* result, size_t size, long count, double elapsed) {
  sort_samples(count);
  double mean = elapsed / (double)count / 2;
  fprintf(result, "{\"size\":%zu,\"iterations\":%ld,\"mean\":%.4f,\"p50\":%.4f,\"p99\":%.4f,\"p999\":%.4f,", size,
          count, mean, per_mille(count, 500) / 2, per_mille(count, 990) / 2, per_mille(count, 999) / 2);
  fprintf(result, "\"megabytesPerSecond\":%.4f,\"quantiles\":[", (double)size / mean);
  for (int percent = 0; percent <= 100; percent++) {
    fprintf(result, "%s%.4f", percent ? "," : "", per_mille(count, 10 * percent) / 2);
  }
  fprintf(result, "]}");
}
