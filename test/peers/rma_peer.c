// The other end for test/rma-peer.test.ts: memory that each end uses of the other.
//
//   rma_peer PROVIDER rma|atomic
//
// Prints, after the address, "region KEY LENGTH" of its own memory, which is zeros. Each line does one thing:
//   remote ADDRESS KEY      names the peer's memory, for what follows
//   write LENGTH SEED       the pattern of SEED, to its start
//   writedata LENGTH SEED DATA
//   read LENGTH SEED        from its start, which has to have the pattern of SEED
//   own LENGTH SEED         this end's memory has to start with the pattern of SEED
//   sum VALUE               adds to the peer's first 64-bit word; prints "former VALUE"
//   swap OLD NEW            replaces it if it is OLD; prints "former VALUE"
//   word                    prints "word VALUE", this end's first 64-bit word
// and prints "done" but for those that print something else. What a peer writes with immediate data prints "written
// DATA".
#include <rdma/fi_atomic.h>
#include <rdma/fi_rma.h>

#include "peer.h"

#define LENGTH (1 << 20)
#define KEY 0x2a

static uint64_t remote_address, remote_key;
static uint8_t* target;

static void write_remote(size_t length, uint32_t seed, uint64_t data, int has_data) {
  uint8_t* buffer = pattern(length, seed);
  if (has_data) {
    POST(fi_writedata(endpoint, buffer, length, NULL, data, peer, remote_address, remote_key, &context));
  } else {
    struct iovec vector = {buffer, length};
    struct fi_rma_iov place = {remote_address, length, remote_key};
    struct fi_msg_rma message = {&vector, NULL, 1, peer, &place, 1, &context, 0};
    // its bytes have arrived when it has completed
    POST(fi_writemsg(endpoint, &message, FI_DELIVERY_COMPLETE));
  }
  wait_for("the write");
  free(buffer);
}

static void compare(const uint8_t* bytes, size_t length, uint32_t seed) {
  uint8_t* expected = pattern(length, seed);
  if (memcmp(bytes, expected, length) != 0) fail("the memory", "has other bytes than were announced");
  free(expected);
}

static void read_remote(size_t length, uint32_t seed) {
  uint8_t* buffer = calloc(1, length);
  if (!buffer) fail("calloc", "out of memory");
  POST(fi_read(endpoint, buffer, length, NULL, peer, remote_address, remote_key, &context));
  wait_for("the read");
  compare(buffer, length, seed);
  free(buffer);
}

static void sum(uint64_t value) {
  uint64_t former = 0;
  POST(fi_fetch_atomic(endpoint, &value, 1, NULL, &former, NULL, peer, remote_address, remote_key, FI_UINT64, FI_SUM,
                       &context));
  wait_for("the sum");
  printf("former %lu\n", former);
}

static void swap(uint64_t old, uint64_t value) {
  uint64_t former = 0;
  POST(fi_compare_atomic(endpoint, &value, 1, NULL, &old, NULL, &former, NULL, peer, remote_address, remote_key,
                         FI_UINT64, FI_CSWAP, &context));
  wait_for("the swap");
  printf("former %lu\n", former);
}

static void obey(const char* line) {
  char what[12] = "", words[3][24] = {"", "", ""};
  sscanf(line, "%11s %23s %23s %23s", what, words[0], words[1], words[2]);
  uint64_t first = strtoull(words[0], NULL, 0), second = strtoull(words[1], NULL, 0);
  uint64_t third = strtoull(words[2], NULL, 0);
  if (strcmp(what, "sum") == 0) return sum(first);
  if (strcmp(what, "swap") == 0) return swap(first, second);
  if (strcmp(what, "word") == 0) {
    uint64_t word;
    memcpy(&word, target, sizeof(word));
    printf("word %lu\n", word);
    return;
  }
  if (strcmp(what, "remote") == 0) {
    remote_address = first;
    remote_key = second;
  } else if (strcmp(what, "write") == 0) {
    write_remote(first, (uint32_t)second, 0, 0);
  } else if (strcmp(what, "writedata") == 0) {
    write_remote(first, (uint32_t)second, third, 1);
  } else if (strcmp(what, "read") == 0) {
    read_remote(first, (uint32_t)second);
  } else if (strcmp(what, "own") == 0) {
    compare(target, first, (uint32_t)second);
  } else {
    fail("not understood", line);
  }
  printf("done\n");
}

int main(int argc, char** argv) {
  static char line[256];
  struct fid_mr* region;
  if (argc != 3) fail("usage", "rma_peer PROVIDER rma|atomic");
  setvbuf(stdout, NULL, _IOLBF, 0);
  open_endpoint(argv[1], FI_MSG | FI_TAGGED | FI_RMA | (strcmp(argv[2], "atomic") == 0 ? FI_ATOMIC : 0));
  target = calloc(1, LENGTH);
  if (!target) fail("calloc", "out of memory");
  check("fi_mr_reg", fi_mr_reg(domain, target, LENGTH, FI_REMOTE_READ | FI_REMOTE_WRITE, 0, KEY, 0, &region, NULL));
  meet();
  printf("region %lu %d\n", fi_mr_key(region), LENGTH);
  while (next_line(line, sizeof(line))) obey(line);
  fi_close(&region->fid);
  fi_close(&endpoint->fid);
  return 0;
}
