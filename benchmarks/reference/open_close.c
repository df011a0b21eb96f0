// How long it takes to open an endpoint and close it again, over and over: `--what endpoint` alone, in a domain that
// stays open, or `--what set` with fabric, domain, queues and address vector.
#include "clock.h"
#include "fabric.h"
#include "options.h"
#include "samples.h"

static struct fabric fabric;

static void open_and_close_set(void) {
  open_all(&fabric, FI_WAIT_FD);
  close_all(&fabric);
}

static void open_and_close_endpoint(void) {
  open_endpoint(&fabric);
  check(fi_close(&fabric.ep->fid), "fi_close");
}

int main(int argc, char** argv) {
  struct options options = parse_options(argc, argv);
  choose_interface(&fabric, &options, FI_MSG | FI_TAGGED);
  prepare_samples();
  void (*run)(void) = open_and_close_set;
  if (strcmp(options.what, "endpoint") == 0) {
    run = open_and_close_endpoint;
    open_domain(&fabric);
    open_queue(&fabric, FI_WAIT_FD);
    open_addresses(&fabric);
  }
  double end = microseconds() + options.seconds * 1e6 / 2;
  do run();
  while (microseconds() < end);

  double start = microseconds(), before = start;
  end = start + options.seconds * 1e6;
  long count = 0;
  do {
    run();
    double now = microseconds();
    samples[count++] = now - before;
    before = now;
  } while (before < end && count < MOST_SAMPLES);
  sort_samples(count);
  say("{\"phases\":[{\"iterations\":%ld,\"mean\":%.3f,\"p50\":%.3f,\"p99\":%.3f}]}", count, (before - start) / count,
      per_mille(count, 500), per_mille(count, 990));
  return 0;
}
