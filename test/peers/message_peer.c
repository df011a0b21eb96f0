// The other end for test/c-peer.test.ts: messages, with tags or without.
//
//   message_peer PROVIDER
//
// Each line "recv|send|trecv|tsend TAG SIZE SEED PARTS DATA" is one message: the pattern of SEED, in or from as many
// PARTS of one buffer, with immediate DATA, or "-". Prints "posted" and, when it has completed, "done"; what is
// received has to be what was announced.
#include <rdma/fi_tagged.h>

#include "peer.h"

#define MOST_PARTS 4

struct message {
  uint64_t tag;
  size_t size;
  uint32_t seed;
  size_t parts;
  uint64_t data;
  int has_data;
};

static void cut(struct iovec* vectors, uint8_t* buffer, const struct message* message) {
  for (size_t i = 0; i < message->parts; i++) {
    size_t start = message->size * i / message->parts;
    vectors[i].iov_base = buffer + start;
    vectors[i].iov_len = message->size * (i + 1) / message->parts - start;
  }
}

static void post_send(const struct message* message, int is_tagged, uint8_t* buffer) {
  struct iovec vectors[MOST_PARTS];
  cut(vectors, buffer, message);
  if (message->has_data && is_tagged) {
    POST(fi_tsenddata(endpoint, buffer, message->size, NULL, message->data, peer, message->tag, &context));
  } else if (message->has_data) {
    POST(fi_senddata(endpoint, buffer, message->size, NULL, message->data, peer, &context));
  } else if (is_tagged) {
    POST(fi_tsendv(endpoint, vectors, NULL, message->parts, peer, message->tag, &context));
  } else {
    POST(fi_sendv(endpoint, vectors, NULL, message->parts, peer, &context));
  }
}

static void post_receive(const struct message* message, int is_tagged, uint8_t* buffer) {
  struct iovec vectors[MOST_PARTS];
  cut(vectors, buffer, message);
  if (is_tagged) {
    POST(fi_trecvv(endpoint, vectors, NULL, message->parts, FI_ADDR_UNSPEC, message->tag, 0, &context));
  } else {
    POST(fi_recvv(endpoint, vectors, NULL, message->parts, FI_ADDR_UNSPEC, &context));
  }
}

static void compare(const struct message* message, int is_tagged, const uint8_t* received) {
  uint8_t* expected = pattern(message->size, message->seed);
  int has_data = (completed.flags & FI_REMOTE_CQ_DATA) != 0;
  if (completed.len != message->size) fail("the receive", "has another length than was announced");
  if (is_tagged && completed.tag != message->tag) fail("the receive", "has another tag than was announced");
  if (has_data != message->has_data) fail("the receive", has_data ? "has immediate data" : "has no immediate data");
  if (has_data && completed.data != message->data) fail("the receive", "has other data than was announced");
  if (memcmp(received, expected, message->size) != 0) fail("the receive", "has other bytes than were announced");
  free(expected);
}

static void obey(const char* line) {
  char what[8], data[24];
  struct message message = {0};
  int fields =
      sscanf(line, "%7s %lu %zu %u %zu %23s", what, &message.tag, &message.size, &message.seed, &message.parts, data);
  if (fields != 6 || message.parts < 1 || message.parts > MOST_PARTS) fail("not understood", line);
  message.has_data = strcmp(data, "-") != 0;
  if (message.has_data) message.data = strtoull(data, NULL, 0);
  int is_tagged = what[0] == 't';
  int sends = strstr(what, "send") != NULL;
  uint8_t* buffer = pattern(message.size, message.seed);
  if (sends) {
    post_send(&message, is_tagged, buffer);
  } else {
    memset(buffer, 0, message.size);
    post_receive(&message, is_tagged, buffer);
  }
  printf("posted\n");
  wait_for(what);
  if (!sends) compare(&message, is_tagged, buffer);
  printf("done\n");
  free(buffer);
}

int main(int argc, char** argv) {
  static char line[256];
  if (argc != 2) fail("usage", "message_peer PROVIDER");
  setvbuf(stdout, NULL, _IOLBF, 0);
  open_endpoint(argv[1], FI_MSG | FI_TAGGED);
  meet();
  while (next_line(line, sizeof(line))) obey(line);
  fi_close(&endpoint->fid);
  return 0;
}
