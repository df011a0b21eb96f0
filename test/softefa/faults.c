/*
 * What shall go wrong, and the other choices of the environment. README.md lists them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "softefa.h"

uint64_t faults_number(const char* name, uint64_t otherwise) {
  const char* value = getenv(name);
  return value == NULL || *value == '\0' ? otherwise : strtoull(value, NULL, 0);
}

/* Whether a comma-separated list has a word. */
bool faults_has(const char* name, const char* word, const char* otherwise) {
  const char* at = getenv(name);
  size_t length = strlen(word);

  if (at == NULL) at = otherwise;
  while (*at != '\0') {
    size_t end = strcspn(at, ",");

    if (end == length && strncmp(at, word, length) == 0) return true;
    at += end + (at[end] == ',');
  }
  return false;
}

static const char* const names[OPERATION_COUNT] = {"send", "read", "write", "receive"};

/* "send:3:13,read:2+:7": the third send fails with status 13, the second read and all later ones with 7 */
static void read_list(struct faults* faults, const char* at) {
  while (at != NULL && *at != '\0' && faults->count < (int)(sizeof(faults->list) / sizeof(faults->list[0]))) {
    struct fault fault = {0};
    char operation[16], lasting[2] = "";
    unsigned long long first;
    int status, known = -1;

    if (sscanf(at, "%15[a-z]:%llu%1[+]:%d", operation, &first, lasting, &status) != 4 &&
        sscanf(at, "%15[a-z]:%llu:%d", operation, &first, &status) != 3)
      known = -2;
    for (int i = 0; known == -1 && i < OPERATION_COUNT; i++)
      if (strcmp(names[i], operation) == 0) known = i;
    if (known < 0) {
      fprintf(stderr, "softefa: SOFTEFA_FAIL: not understood from here: %s\n", at);
      return;
    }
    fault.operation = known;
    fault.at = first;
    fault.is_lasting = *lasting == '+';
    fault.status = status;
    faults->list[faults->count++] = fault;
    at += strcspn(at, ",");
    at += *at == ',';
  }
}

void faults_read(struct faults* faults, uint32_t qpn) {
  memset(faults, 0, sizeof(*faults));
  /* each queue pair has its own sequence, which the seed alone decides */
  faults->random = (faults_number("SOFTEFA_SEED", 1) + qpn) * 0x9e3779b97f4a7c15 | 1;
  faults->drop_percent = faults_number("SOFTEFA_DROP_PERCENT", 0);
  faults->delay_percent = faults_number("SOFTEFA_REORDER_PERCENT", 0);
  read_list(faults, getenv("SOFTEFA_FAIL"));
}

/* To be asked once for each operation. */
enum status faults_next(struct faults* faults, enum operation operation) {
  uint64_t number = ++faults->done[operation];

  for (int i = 0; i < faults->count; i++) {
    const struct fault* fault = &faults->list[i];

    if (fault->operation == operation && (fault->at == number || (fault->is_lasting && number > fault->at)))
      return fault->status;
  }
  return STATUS_OK;
}

bool faults_happens(struct faults* faults, uint32_t percent) {
  if (percent == 0) return false;
  /* xorshift64 */
  faults->random ^= faults->random << 13;
  faults->random ^= faults->random >> 7;
  faults->random ^= faults->random << 17;
  return (faults->random >> 32) % 100 < percent;
}
