// Ping-pong of two endpoints of one process, so many messages and no clock: for the profile, which counts instructions.
#include "fabric.h"
#include "operations.h"
#include "options.h"

static struct fabric ends[2];
static unsigned char* buffers[2];
static size_t size;

static void post_receive(int end) {
  struct operation* operation = take_operation(RECEIVE);
  check(fi_recv(ends[end].ep, buffers[end], size, NULL, FI_ADDR_UNSPEC, &operation->context), "fi_recv");
}

static void take_completions(int end, int wanted) {
  struct fi_cq_tagged_entry entries[BATCH];
  do {
    int count = read_completions(ends[end].cq, entries);
    for (int i = 0; i < count; i++) free_operation(entries[i].op_context);
    wanted -= count;
  } while (wanted > 0);
}

static void send_message(int end) {
  while (fi_inject(ends[end].ep, buffers[end], size, ends[end].peer) == -FI_EAGAIN) {
    // The first takes both ends.
    take_completions(end, 0);
    take_completions(1 - end, 0);
  }
  post_receive(end);
  take_completions(end, 0);
}

int main(int argc, char** argv) {
  struct options options = parse_options(argc, argv);
  size = options.largest;
  prepare_operations();
  for (int end = 0; end < 2; end++) {
    choose_interface(&ends[end], &options, FI_MSG | FI_TAGGED);
    open_all(&ends[end], FI_WAIT_NONE);
    buffers[end] = calloc(1, size);
    post_receive(end);
  }
  for (int end = 0; end < 2; end++) {
    unsigned char address[1024];
    size_t length = sizeof(address);
    check(fi_getname(&ends[end].ep->fid, address, &length), "fi_getname");
    check(fi_av_insert(ends[1 - end].av, address, 1, &ends[1 - end].peer, 0, NULL) - 1, "fi_av_insert");
  }
  for (long i = 0; i < options.messages; i += 2) {
    send_message(0);
    take_completions(1, 1);
    send_message(1);
    take_completions(0, 1);
  }
  return 0;
}
