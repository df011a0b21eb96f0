// What the C programs share that tests talk to: plain libfabric, no Node. Each prints its address in hexadecimal, reads
// its peer's, and does what the lines of its stdin say, until that ends. Any failure is a line on stderr and exit
// code 1.
#pragma once

#include <poll.h>
#include <rdma/fabric.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_SECONDS 15
#define ADDRESS_LIMIT 256

// What operations need; all of it is let go by the process's end.
static struct fi_info* info;
static struct fid_domain* domain;
static struct fid_ep* endpoint;
static struct fid_cq* queue;
static struct fid_av* addresses;
static fi_addr_t peer;

// The one operation in flight.
static struct fi_context2 context;
static struct fi_cq_tagged_entry completed;
static int is_completed;

static inline void fail(const char* what, const char* why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static inline void check(const char* call, ssize_t result) {
  if (result < 0) fail(call, fi_strerror((int)-result));
}

static inline void open_endpoint(const char* provider, uint64_t caps) {
  struct fi_info* hints = fi_allocinfo();
  if (!hints) fail("fi_allocinfo", "out of memory");
  hints->caps = caps;
  hints->mode = FI_CONTEXT | FI_CONTEXT2;
  hints->ep_attr->type = FI_EP_RDM;
  hints->domain_attr->threading = FI_THREAD_DOMAIN;
  hints->domain_attr->mr_mode = 0;
  hints->fabric_attr->prov_name = strdup(provider);
  // shared memory has names of its own
  const char* node = strcmp(provider, "shm") == 0 ? NULL : "127.0.0.1";
  check("fi_getinfo",
        fi_getinfo(FI_VERSION(FI_MAJOR_VERSION, FI_MINOR_VERSION), node, NULL, node ? FI_SOURCE : 0, hints, &info));
  struct fid_fabric* fabric;
  struct fi_cq_attr cq_attr = {.format = FI_CQ_FORMAT_TAGGED, .wait_obj = FI_WAIT_NONE};
  struct fi_av_attr av_attr = {.type = info->domain_attr->av_type};
  check("fi_fabric", fi_fabric(info->fabric_attr, &fabric, NULL));
  check("fi_domain", fi_domain(fabric, info, &domain, NULL));
  check("fi_cq_open", fi_cq_open(domain, &cq_attr, &queue, NULL));
  check("fi_av_open", fi_av_open(domain, &av_attr, &addresses, NULL));
  check("fi_endpoint", fi_endpoint(domain, info, &endpoint, NULL));
  check("fi_ep_bind (queue)", fi_ep_bind(endpoint, &queue->fid, FI_TRANSMIT | FI_RECV));
  check("fi_ep_bind (addresses)", fi_ep_bind(endpoint, &addresses->fid, 0));
  check("fi_enable", fi_enable(endpoint));
  fi_freeinfo(hints);
}

// Progress, and at most one completion. What a peer writes with immediate data is a line of its own.
static inline void look(void) {
  struct fi_cq_tagged_entry entry;
  ssize_t count = fi_cq_read(queue, &entry, 1);
  if (count == -FI_EAGAIN) return;
  if (count == -FI_EAVAIL) {
    struct fi_cq_err_entry error = {0};
    check("fi_cq_readerr", fi_cq_readerr(queue, &error, 0));
    fail("an operation", fi_strerror(abs(error.err)));
  }
  check("fi_cq_read", count);
  if (entry.flags & FI_REMOTE_WRITE) {
    printf("written %#llx\n", (unsigned long long)entry.data);
    return;
  }
  completed = entry;
  is_completed = 1;
}

static inline time_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec;
}

// Posts an operation, which uses `context`, until the provider takes it.
#define POST(call)                                                                                       \
  do {                                                                                                   \
    ssize_t posted;                                                                                      \
    is_completed = 0;                                                                                    \
    for (time_t end = now() + PATIENCE_SECONDS; (posted = (call)) == -FI_EAGAIN && now() < end;) look(); \
    check(#call, posted);                                                                                \
  } while (0)

// Waits for it.
static inline void wait_for(const char* what) {
  for (time_t end = now() + PATIENCE_SECONDS; !is_completed; look()) {
    if (now() > end) fail(what, "did not complete in time");
  }
}

// The next line of stdin, without its end; 0 when there is none. The endpoint serves its peer meanwhile.
static inline int next_line(char* line, size_t size) {
  struct pollfd input = {STDIN_FILENO, POLLIN, 0};
  for (size_t used = 0; used < size;) {
    look();
    if (poll(&input, 1, 0) <= 0) continue;
    if (read(STDIN_FILENO, line + used, 1) <= 0) return 0;
    if (line[used++] != '\n') continue;
    line[used - 1] = '\0';
    return 1;
  }
  fail("a line", "is too long");
  return 0;
}

// Exchanges addresses with the peer.
static inline void meet(void) {
  uint8_t bytes[ADDRESS_LIMIT] = {0};
  char text[2 * ADDRESS_LIMIT + 2];
  size_t length = sizeof(bytes);
  check("fi_getname", fi_getname(&endpoint->fid, bytes, &length));
  for (size_t i = 0; i < length; i++) printf("%02x", bytes[i]);
  printf("\n");
  if (!next_line(text, sizeof(text))) fail("reading the peer's address", "stdin has ended");
  memset(bytes, 0, sizeof(bytes));
  for (size_t i = 0; sscanf(text + 2 * i, "%2hhx", &bytes[i]) == 1;) i++;
  if (fi_av_insert(addresses, bytes, 1, &peer, 0, NULL) != 1) fail("fi_av_insert", "the address was not taken");
}

// The same as pattern() of test/helpers/bytes.ts.
static inline uint8_t* pattern(size_t length, uint32_t seed) {
  size_t words = length / 4 + 1;
  uint32_t* buffer = malloc(words * 4);
  if (!buffer) fail("malloc", "out of memory");
  uint32_t word = seed * 2654435761u;
  for (size_t i = 0; i < words; i++, word += 0x9e3779b9) buffer[i] = word;
  return (uint8_t*)buffer;
}
