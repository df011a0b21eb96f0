// Ping-pong: one message under way, either way. Latency is half a round trip; bandwidth follows from it.
//
// The loop is that of lib/bench/latency.ts: small messages are injected, receives are posted ahead.
#include "clock.h"
#include "fabric.h"
#include "operations.h"
#include "options.h"
#include "pattern.h"
#include "phases.h"
#include "samples.h"

// Posting a receive never stands between a message and its answer.
#define RECEIVES_AHEAD 2

static struct fabric fabric;
static struct options options;
static unsigned char *outgoing, *incoming, *expected;
static long posted, received, sent, completed;
static size_t arrived_length;

static void post_receive(void) {
  struct operation* operation = take_operation(RECEIVE);
  ssize_t result = fi_recv(fabric.ep, incoming, options.largest, NULL, FI_ADDR_UNSPEC, &operation->context);
  if (is_posted(result, operation, "fi_recv")) posted++;
}

static int post_message(size_t size) {
  if (size <= fabric.info->tx_attr->inject_size) {
    ssize_t result = fi_inject(fabric.ep, outgoing, size, fabric.peer);
    if (result == -FI_EAGAIN) return 0;
    check(result, "fi_inject");
    sent++;
    completed++;
    return 1;
  }
  struct operation* operation = take_operation(SEND);
  ssize_t result = fi_send(fabric.ep, outgoing, size, NULL, fabric.peer, &operation->context);
  if (!is_posted(result, operation, "fi_send")) return 0;
  sent++;
  return 1;
}

static void take_completions(void) {
  struct fi_cq_tagged_entry entries[BATCH];
  int count = read_completions(fabric.cq, entries);
  for (int i = 0; i < count; i++) {
    struct operation* operation = entries[i].op_context;
    if (operation->kind == SEND) {
      completed++;
    } else {
      received++;
      arrived_length = entries[i].len;
    }
    free_operation(operation);
  }
}

static void send_message(size_t size) {
  while (!post_message(size)) take_completions();
  if (posted < received + RECEIVES_AHEAD) post_receive();
}

// Waits for message number `wanted`.
static void receive_message(size_t size, long wanted) {
  while (received < wanted) take_completions();
  if (arrived_length == size) return;
  fprintf(stderr, "%zu bytes arrived where %zu were due\n", arrived_length, size);
  exit(1);
}

static void round_trip(size_t size) {
  send_message(size);
  receive_message(size, sent);
}

static void checked_round_trip(size_t size, enum purpose purpose) {
  outgoing[0] = purpose;
  round_trip(size);
  check_pattern(incoming, expected, size);
}

static void run_client(size_t size, FILE* result) {
  double end = microseconds() + options.seconds * 1e6 / 2;
  do checked_round_trip(size, CHECKED);
  while (microseconds() < end);

  double start = microseconds(), before = start;
  long count = 0;
  end = start + options.seconds * 1e6;
  outgoing[0] = TIMED;
  do {
    round_trip(size);
    double now = microseconds();
    samples[count++] = now - before;
    before = now;
  } while (before < end && count < MOST_SAMPLES);

  checked_round_trip(size, LAST);
  while (completed < sent) take_completions();
  write_round_trips(result, size, count, before - start);
}

static void run_server(size_t size) {
  enum purpose purpose;
  do {
    receive_message(size, sent + 1);
    purpose = incoming[0];
    if (purpose != TIMED) check_pattern(incoming, expected, size);
    send_message(size);
  } while (purpose != LAST);
  while (completed < sent) take_completions();
}

int main(int argc, char** argv) {
  options = parse_options(argc, argv);
  outgoing = malloc(options.largest);
  incoming = calloc(1, options.largest);
  expected = malloc(options.largest);
  fill_pattern(outgoing, options.largest, options.is_client);
  fill_pattern(expected, options.largest, !options.is_client);
  prepare_samples();
  prepare_operations();
  choose_interface(&fabric, &options, FI_MSG | FI_TAGGED);
  open_all(&fabric, FI_WAIT_NONE);
  for (int i = 0; i < RECEIVES_AHEAD; i++) post_receive();
  meet(&fabric);

  char* result = run_phases(fabric.cq, &options, run_client, run_server);
  close_all(&fabric);
  say("{\"phases\":[%s]}", result);
  return 0;
}
