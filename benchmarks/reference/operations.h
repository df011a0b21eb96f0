// What is in flight: a context for each operation, as providers with FI_CONTEXT2 want it, and the reading of
// completions.
#pragma once

#include <stdint.h>

#include "fabric.h"

#define MOST_OPERATIONS 4096
// How many completions are read at once.
#define BATCH 64

enum kind { SEND, RECEIVE };

struct operation {
  struct fi_context2 context;  // first, so that a completion's context is the operation
  enum kind kind;
};

static struct operation operations[MOST_OPERATIONS];
static struct operation* idle[MOST_OPERATIONS];
static int idle_count;

static inline void prepare_operations(void) {
  for (int i = 0; i < MOST_OPERATIONS; i++) idle[i] = &operations[i];
  idle_count = MOST_OPERATIONS;
}

static inline struct operation* take_operation(enum kind kind) {
  if (idle_count == 0) {
    fprintf(stderr, "more than %d operations in flight\n", MOST_OPERATIONS);
    exit(1);
  }
  struct operation* operation = idle[--idle_count];
  operation->kind = kind;
  return operation;
}

static inline void free_operation(struct operation* operation) {
  idle[idle_count++] = operation;
}

// Whether the provider has taken a post; it has no room for now when not.
static inline int is_posted(ssize_t result, struct operation* operation, const char* call) {
  if (result == 0) return 1;
  free_operation(operation);
  if (result != -FI_EAGAIN) check(result, call);
  return 0;
}

// How many completions there are, at most BATCH. A failed operation ends the program.
static inline int read_completions(struct fid_cq* cq, struct fi_cq_tagged_entry entries[BATCH]) {
  ssize_t count = fi_cq_read(cq, entries, BATCH);
  if (count == -FI_EAGAIN) return 0;
  if (count == -FI_EAVAIL) {
    struct fi_cq_err_entry error = {0};
    check(fi_cq_readerr(cq, &error, 0), "fi_cq_readerr");
    fprintf(stderr, "an operation failed: %s\n", fi_strerror(error.err));
    exit(1);
  }
  check(count, "fi_cq_read");
  return (int)count;
}

// Tells the other end that nothing is expected of it any more, and serves it until it says the same: it may need our
// half of a transfer that is over for us.
static inline void part(struct fid_cq* cq) {
  struct fi_cq_tagged_entry entries[BATCH];
  char line[LONGEST_LINE];
  say("done");
  do {
    for (int i = 0; i < 1000; i++) read_completions(cq, entries);
  } while (!is_heard());
  hear(line);
}
