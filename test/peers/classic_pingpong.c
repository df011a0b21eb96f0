// fi_pingpong -e rdm -S 64, written from its protocol and not from its source, and wrong where it is told to be:
// classic_pingpong PROVIDER TAG FIN LATE PORT [HOST]. It tags its messages with TAG, where that is not 0, and takes
// those of any tag; FIN is how many bytes its last message has, which it sends LATE milliseconds after it has closed
// the control connection, or before where that is 0. With HOST it is the client. A server prints its port, which may
// have been 0.
#include <rdma/fi_tagged.h>

#include "control.h"

#define SIZE 64
#define ITERATIONS 10
#define ROOM 1024

static uint64_t tag;
static char in[ROOM], out[ROOM];

static void post_receive(void) {
  if (tag) {
    TRY(fi_trecv(endpoint, in, ROOM, NULL, FI_ADDR_UNSPEC, 0, UINT64_MAX, &receiving));
  } else {
    TRY(fi_recv(endpoint, in, ROOM, NULL, FI_ADDR_UNSPEC, &receiving));
  }
}

static void send_message(size_t size) {
  size_t before = sent;
  if (tag) {
    TRY(fi_tsend(endpoint, out, size, NULL, peer, tag, &context));
  } else {
    TRY(fi_send(endpoint, out, size, NULL, peer, &context));
  }
  await(&sent, before, "the completion of a send");
}

// The length of a name is in network order, its address format in that of the host.
static void send_name(void) {
  struct {
    uint32_t length, format;
    char address[ADDRESS_LIMIT];
  } name = {.format = info->addr_format};
  size_t length = sizeof(name.address);
  check("fi_getname", fi_getname(&endpoint->fid, name.address, &length));
  name.length = htonl(length);
  write_control(&name, 8 + length);
}

static void read_name(void) {
  uint32_t head[2];
  char address[ADDRESS_LIMIT];
  read_control(head, sizeof(head));
  if (ntohl(head[0]) > sizeof(address)) fail("a name", "is too long");
  read_control(address, ntohl(head[0]));
  if (fi_av_insert(addresses, address, 1, &peer, 0, NULL) != 1) fail("fi_av_insert", "the address was not taken");
}

int main(int count, char** words) {
  if (count < 6) fail("classic_pingpong", "PROVIDER TAG FIN LATE PORT [HOST]");
  tag = strtoull(words[2], NULL, 10);
  size_t fin = strtoul(words[3], NULL, 10);
  useconds_t late = 1000 * atoi(words[4]);
  int is_client = count > 6;
  if (fin > ROOM) fail("FIN", "is too large");
  // before the other end waits: what loading libfabric takes is no part of its deadlines
  open_endpoint(words[1], tag ? FI_TAGGED : FI_MSG);
  connect_control(atoi(words[5]), is_client ? words[6] : NULL);
  post_receive();
  if (is_client) {
    read_name();
    send_name();
  } else {
    send_name();
    read_name();
  }

  char word[16] = {0};
  exchange(is_client ? "q" : "a", word, 2, is_client);
  for (size_t i = 0; i < ITERATIONS; i++) {
    if (is_client) send_message(SIZE);
    await(&received, i, "a message");
    post_receive();
    if (!is_client) send_message(SIZE);
  }
  if (is_client) {
    char ended[10] = {0};
    sprintf(ended, "%d", ITERATIONS);
    write_control(ended, sizeof(ended));
    read_control(word, 7);
  } else {
    read_control(word, 10);
    write_control("cnt ok", 7);
  }
  if (late) {
    close(control);
    usleep(late);
  }
  strcpy(out, "fin");
  send_message(fin);
  await(&received, ITERATIONS, "the other end's fin");
  return 0;
}
