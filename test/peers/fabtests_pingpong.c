// fi_rdm_pingpong -b of fabtests 1.22, written from its protocol and not from its source, as Debian has no fabtests:
// fabtests_pingpong PROVIDER SIZE ITERATIONS WARMUP PORT [HOST]. With HOST it is the client. A server prints its port,
// which may have been 0. At the end it prints how many messages it has received, and checks all that count.
#include "control.h"

#define BLOCK 1024

static const char alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

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
        await(&sent, before, "the completion of a send");
      } else {
        await(&received, i, "a message");
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
