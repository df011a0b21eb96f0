// fi_rdm_pingpong -b of fabtests 1.22, written from its protocol and not from its source, as Debian has no fabtests:
// fabtests_pingpong PROVIDER SIZE ITERATIONS WARMUP PORT [HOST]. With HOST it is the client. A server prints its port,
// which may have been 0. At the end it prints how many messages it has received, and checks all that count.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "peer.h"

#define BLOCK 1024

static const char alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

static int control;
// A receive is posted while a message is sent, which uses `context`.
static struct fi_context2 receiving;
static size_t sent, received, received_length;

static void must(const char* what, int is_well) {
  if (!is_well) fail(what, strerror(errno));
}

static void write_control(const void* bytes, size_t length) {
  must("write", write(control, bytes, length) == (ssize_t)length);
}

static void progress(void) {
  if (!queue) return;
  struct fi_cq_tagged_entry entry;
  ssize_t count = fi_cq_read(queue, &entry, 1);
  if (count == -FI_EAGAIN) return;
  check("fi_cq_read", count);
  if (entry.op_context == &receiving) {
    received++;
    received_length = entry.len;
  } else {
    sent++;
  }
}

// Control bytes may come in pieces, and the endpoint makes progress meanwhile.
static void read_control(void* bytes, size_t length) {
  size_t used = 0;
  for (time_t end = now() + PATIENCE_SECONDS; used < length;) {
    progress();
    ssize_t count = recv(control, (char*)bytes + used, length - used, MSG_DONTWAIT);
    if (count == 0) fail("the control connection", "was closed");
    if (count > 0) used += count;
    if (now() > end) fail("the control connection", "said nothing");
  }
}

static void connect_control(int port, const char* host) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (host) {
    must("connect", connect(listener, (struct sockaddr*)&address, sizeof(address)) == 0);
    control = listener;
    return;
  }
  socklen_t length = sizeof(address);
  must("bind", bind(listener, (struct sockaddr*)&address, length) == 0 && listen(listener, 1) == 0);
  getsockname(listener, (struct sockaddr*)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  must("accept", (control = accept(listener, NULL, NULL)) >= 0);
  close(listener);
}

static void exchange(const void* mine, void* theirs, size_t length, int is_first) {
  if (is_first) write_control(mine, length);
  read_control(theirs, length);
  if (!is_first) write_control(mine, length);
}

#define TRY(call)                                                                                            \
  do {                                                                                                       \
    ssize_t result;                                                                                          \
    for (time_t end = now() + PATIENCE_SECONDS; (result = (call)) == -FI_EAGAIN && now() < end;) progress(); \
    check(#call, result);                                                                                    \
  } while (0)

int main(int count, char** words) {
  if (count < 6) fail("fabtests_pingpong", "PROVIDER SIZE ITERATIONS WARMUP PORT [HOST]");
  size_t size = strtoul(words[2], NULL, 10);
  size_t iterations = strtoul(words[3], NULL, 10);
  size_t warmup = strtoul(words[4], NULL, 10);
  int is_client = count > 6;
  connect_control(atoi(words[5]), is_client ? words[6] : NULL);

  // a client is ready before it looks for providers, a server when its endpoint is enabled
  int32_t ready = 0;
  if (is_client) exchange(&(int32_t){0}, &ready, sizeof(ready), 1);
  open_endpoint(words[1], FI_MSG);
  if (!is_client) exchange(&(int32_t){0}, &ready, sizeof(ready), 0);
  if (ready != 0) fail("ready", "is not 0");

  size_t room = size > BLOCK ? size : BLOCK;
  char* in = calloc(2, room);
  char* out = in + room;
  for (size_t i = 0; i < size; i++) out[i] = alphabet[i % 62];
  TRY(fi_recv(endpoint, in, room, NULL, FI_ADDR_UNSPEC, &receiving));

  char mine[BLOCK] = {0}, theirs[BLOCK];
  size_t length = sizeof(mine);
  check("fi_getname", fi_getname(&endpoint->fid, mine, &length));
  write_control(mine, sizeof(mine));
  read_control(theirs, sizeof(theirs));
  if (fi_av_insert(addresses, theirs, 1, &peer, 0, NULL) != 1) fail("fi_av_insert", "the address was not taken");

  char word = 'a', answer = 0;
  exchange(&word, &answer, 1, is_client);
  for (size_t i = 0; i < warmup + iterations; i++) {
    for (int turn = 0; turn < 2; turn++) {
      if ((turn == 0) == is_client) {
        size_t before = sent;
        TRY(fi_send(endpoint, out, size, NULL, peer, &context));
        for (time_t end = now() + PATIENCE_SECONDS; sent == before; progress()) {
          if (now() > end) fail("a send", "did not complete in time");
        }
      } else {
        for (time_t end = now() + PATIENCE_SECONDS; received == i; progress()) {
          if (now() > end) fail("a message", "did not come in time");
        }
        if (i >= warmup && received_length != size) fail("a message", "has another length");
        if (i >= warmup && memcmp(in, out, size) != 0) fail("a message", "has other bytes");
        TRY(fi_recv(endpoint, in, room, NULL, FI_ADDR_UNSPEC, &receiving));
      }
    }
  }
  exchange(&(int32_t){0}, &ready, sizeof(ready), is_client);
  printf("%zu\n", received);
  return 0;
}
