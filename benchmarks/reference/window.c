// Windows: the client sends a window of messages at once, and the next when the server has acknowledged it. Bandwidth
// of large messages, message rate of small ones.
//
// The loop is that of lib/bench/bandwidth.ts.
#include "clock.h"
#include "fabric.h"
#include "operations.h"
#include "options.h"
#include "pattern.h"
#include "phases.h"
#include "throughput.h"

#define ACKNOWLEDGEMENT_BYTES 4
// How many acknowledgements the client has receives for.
#define ACKNOWLEDGEMENTS_AHEAD 2
// Of each phase, however long they take.
#define FEWEST_WINDOWS 3

static struct fabric fabric;
static struct options options;
static unsigned char *outgoing, *incoming, *expected;
static unsigned char acknowledgement[ACKNOWLEDGEMENT_BYTES];
static long posted, received, sent, completed;
static long wanted;  // what the server waits for; more may have come by then

static int post_receive(unsigned char* buffer, size_t size) {
  struct operation* operation = take_operation(RECEIVE);
  ssize_t result = fi_recv(fabric.ep, buffer, size, NULL, FI_ADDR_UNSPEC, &operation->context);
  if (!is_posted(result, operation, "fi_recv")) return 0;
  posted++;
  return 1;
}

static int post_send(const unsigned char* buffer, size_t size) {
  struct operation* operation = take_operation(SEND);
  ssize_t result = fi_send(fabric.ep, buffer, size, NULL, fabric.peer, &operation->context);
  if (!is_posted(result, operation, "fi_send")) return 0;
  sent++;
  return 1;
}

static void take_completions(size_t size) {
  struct fi_cq_tagged_entry entries[BATCH];
  int count = read_completions(fabric.cq, entries);
  for (int i = 0; i < count; i++) {
    struct operation* operation = entries[i].op_context;
    if (operation->kind == SEND) {
      completed++;
    } else if (entries[i].len == size) {
      received++;
    } else {
      fprintf(stderr, "%zu bytes arrived where %zu were due\n", entries[i].len, size);
      exit(1);
    }
    free_operation(operation);
  }
}

static void send_window(size_t size, enum purpose purpose) {
  outgoing[0] = purpose;
  long last = sent + options.window, acknowledged = received + 1;
  while (received < acknowledged) {
    while (sent < last && post_send(outgoing, size)) continue;
    if (posted < received + ACKNOWLEDGEMENTS_AHEAD) post_receive(acknowledgement, ACKNOWLEDGEMENT_BYTES);
    take_completions(ACKNOWLEDGEMENT_BYTES);
  }
}

static void run_client(size_t size, FILE* result) {
  double end = microseconds() + options.seconds * 1e6 / 2;
  do send_window(size, CHECKED);
  while (microseconds() < end);

  double start = microseconds(), now = start;
  long windows = 0;
  end = start + options.seconds * 1e6;
  while (now < end || windows < FEWEST_WINDOWS) {
    send_window(size, TIMED);
    now = microseconds();
    windows++;
  }

  send_window(size, LAST);
  while (completed < sent) take_completions(ACKNOWLEDGEMENT_BYTES);
  write_throughput(result, size, windows * options.window, now - start);
}

static void run_server(size_t size) {
  enum purpose purpose;
  do {
    wanted += options.window;
    while (received < wanted) {
      while (posted < received + options.window && post_receive(incoming, options.largest)) continue;
      take_completions(size);
    }
    // Nothing can arrive before the window is acknowledged: the buffer is quiet.
    purpose = incoming[0];
    if (purpose != TIMED) check_pattern(incoming, expected, size);
    while (!post_send(acknowledgement, ACKNOWLEDGEMENT_BYTES)) take_completions(size);
  } while (purpose != LAST);
}

int main(int argc, char** argv) {
  options = parse_options(argc, argv);
  outgoing = malloc(options.largest);
  incoming = calloc(1, options.largest);
  expected = malloc(options.largest);
  fill_pattern(outgoing, options.largest, options.is_client);
  fill_pattern(expected, options.largest, !options.is_client);
  prepare_operations();
  choose_interface(&fabric, &options, FI_MSG | FI_TAGGED);
  open_all(&fabric, FI_WAIT_NONE);
  if (!options.is_client) {
    while (posted < options.window && post_receive(incoming, options.largest)) continue;
  }
  meet(&fabric);

  char* result = run_phases(fabric.cq, &options, run_client, run_server);
  close_all(&fabric);
  say("{\"phases\":[%s]}", result);
  return 0;
}
