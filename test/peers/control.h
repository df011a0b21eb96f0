// What the peers that speak to fabric-pingpong --compat share: a control connection over TCP of 127.0.0.1, and one
// message at a time over an endpoint that makes progress meanwhile.
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "peer.h"

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

// Waits until one of the counters is more than `before`.
static void await(const size_t* counter, size_t before, const char* what) {
  for (time_t end = now() + PATIENCE_SECONDS; *counter == before; progress()) {
    if (now() > end) fail(what, "did not come in time");
  }
}

#define TRY(call)                                                                                            \
  do {                                                                                                       \
    ssize_t result;                                                                                          \
    for (time_t end = now() + PATIENCE_SECONDS; (result = (call)) == -FI_EAGAIN && now() < end;) progress(); \
    check(#call, result);                                                                                    \
  } while (0)
