// The other end for test/c-peer.test.ts: plain libfabric, no Node.
//
//   tagged_echo PROVIDER
//
// Prints its address in hexadecimal and reads the peer's. Then, for each line "TAG SIZE SEED" of its stdin, it receives
// a tagged message of SIZE bytes, checks that they are the pattern of SEED, sends the pattern of SEED + 1 back with
// TAG + 1, and prints "echoed SIZE". Ends with its stdin; any failure is a line on stderr and exit code 1.
#include <inttypes.h>
#include <rdma/fabric.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_errno.h>
#include <rdma/fi_tagged.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PATIENCE_SECONDS 15
#define ADDRESS_LIMIT 256

// What messages need; the rest is let go by the process's end.
static struct fid_ep* endpoint;
static struct fid_cq* queue;
static struct fid_av* addresses;
static fi_addr_t peer;

static void fail(const char* what, const char* why) {
  fprintf(stderr, "tagged_echo: %s: %s\n", what, why);
  exit(1);
}

static void check(const char* call, ssize_t result) {
  if (result < 0) fail(call, fi_strerror((int)-result));
}

static struct fi_info* find(const char* provider) {
  struct fi_info* hints = fi_allocinfo();
  struct fi_info* found;
  if (!hints) fail("fi_allocinfo", "out of memory");
  hints->caps = FI_MSG | FI_TAGGED;
  hints->mode = FI_CONTEXT | FI_CONTEXT2;
  hints->ep_attr->type = FI_EP_RDM;
  hints->domain_attr->threading = FI_THREAD_DOMAIN;
  hints->fabric_attr->prov_name = strdup(provider);
  // shared memory has names of its own
  const char* node = strcmp(provider, "shm") == 0 ? NULL : "127.0.0.1";
  check("fi_getinfo",
        fi_getinfo(FI_VERSION(FI_MAJOR_VERSION, FI_MINOR_VERSION), node, NULL, node ? FI_SOURCE : 0, hints, &found));
  fi_freeinfo(hints);
  return found;
}

static void open_endpoint(struct fi_info* info) {
  struct fid_fabric* fabric;
  struct fid_domain* domain;
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
}

static void print_address(void) {
  uint8_t bytes[ADDRESS_LIMIT];
  size_t length = sizeof(bytes);
  check("fi_getname", fi_getname(&endpoint->fid, bytes, &length));
  for (size_t i = 0; i < length; i++) printf("%02x", bytes[i]);
  printf("\n");
}

static void read_peer(void) {
  char text[2 * ADDRESS_LIMIT + 2];
  uint8_t bytes[ADDRESS_LIMIT] = {0};
  if (!fgets(text, sizeof(text), stdin)) fail("reading the peer's address", "stdin has ended");
  for (size_t i = 0; sscanf(text + 2 * i, "%2hhx", &bytes[i]) == 1;) i++;
  if (fi_av_insert(addresses, bytes, 1, &peer, 0, NULL) != 1) fail("fi_av_insert", "the address was not taken");
}

static time_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec;
}

static void fail_with_completion(void) {
  struct fi_cq_err_entry error = {0};
  char text[256];
  check("fi_cq_readerr", fi_cq_readerr(queue, &error, 0));
  fprintf(stderr, "tagged_echo: %s\n", fi_cq_strerror(queue, error.prov_errno, error.err_data, text, sizeof(text)));
  fail("completion", fi_strerror(abs(error.err)));
}

// Waits for the one operation in flight.
static struct fi_cq_tagged_entry wait_for(const char* what) {
  struct fi_cq_tagged_entry entry = {0};
  for (time_t end = now() + PATIENCE_SECONDS; now() < end;) {
    ssize_t count = fi_cq_read(queue, &entry, 1);
    if (count == 1) return entry;
    if (count == -FI_EAVAIL) fail_with_completion();
    if (count != -FI_EAGAIN) check("fi_cq_read", count);
  }
  fail(what, "did not complete in time");
  return entry;
}

// The same as pattern() of test/helpers/bytes.ts, in whole words.
static uint32_t* pattern(size_t length, uint32_t seed) {
  size_t words = length / 4 + 1;
  uint32_t* buffer = malloc(words * 4);
  if (!buffer) fail("malloc", "out of memory");
  uint32_t word = seed * 2654435761u;
  for (size_t i = 0; i < words; i++, word += 0x9e3779b9) buffer[i] = word;
  return buffer;
}

static void echo(uint64_t tag, size_t size, uint32_t seed) {
  struct fi_context2 context;
  uint32_t* expected = pattern(size, seed);
  uint32_t* answer = pattern(size, seed + 1);
  uint8_t* received = calloc(1, size + 1);
  if (!received) fail("calloc", "out of memory");

  check("fi_trecv", fi_trecv(endpoint, received, size, NULL, FI_ADDR_UNSPEC, tag, 0, &context));
  struct fi_cq_tagged_entry entry = wait_for("the receive");
  if (entry.len != size) fail("the receive", "has another length than was announced");
  if (entry.tag != tag) fail("the receive", "has another tag than was announced");
  if (memcmp(received, expected, size) != 0) fail("the receive", "has other bytes than were announced");

  ssize_t result;
  time_t end = now() + PATIENCE_SECONDS;
  do {
    result = fi_tsend(endpoint, answer, size, NULL, peer, tag + 1, &context);
    if (result == -FI_EAGAIN) fi_cq_read(queue, NULL, 0);  // makes progress, reads nothing
  } while (result == -FI_EAGAIN && now() < end);
  check("fi_tsend", result);
  wait_for("the send");

  free(expected);
  free(answer);
  free(received);
}

int main(int argc, char** argv) {
  if (argc != 2) fail("usage", "tagged_echo PROVIDER");
  setvbuf(stdout, NULL, _IOLBF, 0);
  open_endpoint(find(argv[1]));
  print_address();
  read_peer();
  uint64_t tag;
  size_t size;
  uint32_t seed;
  while (scanf("%" SCNu64 " %zu %" SCNu32, &tag, &size, &seed) == 3) {
    echo(tag, size, seed);
    printf("echoed %zu\n", size);
  }
  fi_close(&endpoint->fid);
  return 0;
}
