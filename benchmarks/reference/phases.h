// A measurement: one phase for each size.
#pragma once

#include "fabric.h"
#include "operations.h"

// Runs them all. `client` writes what it has measured to `result`; the return value is that of all phases, as JSON.
static inline char* run_phases(struct fid_cq* cq, const struct options* options,
                               void (*client)(size_t size, FILE* result), void (*server)(size_t size)) {
  char* text = NULL;
  size_t length;
  FILE* result = open_memstream(&text, &length);
  for (int i = 0; i < options->size_count; i++) {
    if (options->is_client) {
      if (i > 0) fprintf(result, ",");
      client(options->sizes[i], result);
    } else {
      server(options->sizes[i]);
    }
  }
  fclose(result);
  part(cq);
  return text;
}
