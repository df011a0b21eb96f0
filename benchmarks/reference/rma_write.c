// Writes to the memory of the server, a window of them in flight. Both memories are registered. The server does nothing
// but progress, which providers in software need.
#include <rdma/fi_rma.h>
#include <sys/mman.h>

#include "clock.h"
#include "fabric.h"
#include "operations.h"
#include "options.h"
#include "pattern.h"
#include "phases.h"
#include "throughput.h"

#define REQUESTED_KEY 1
// How long what was written may take to be seen, once its completions were read.
#define ARRIVAL_MICROSECONDS 5e6

static struct fabric fabric;
static struct options options;
static struct fid_mr* region;
static unsigned char* memory;
static uint64_t remote_address, remote_key;
static long posted, completed;

static void register_memory(void) {
  memory = mmap(NULL, options.largest, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uint64_t access = FI_SEND | FI_RECV | FI_READ | FI_WRITE | FI_REMOTE_READ | FI_REMOTE_WRITE;
  check(fi_mr_reg(fabric.domain, memory, options.largest, access, 0, REQUESTED_KEY, 0, &region, NULL), "fi_mr_reg");
}

static void swap_regions(void) {
  int is_virtual = (fabric.info->domain_attr->mr_mode & FI_MR_VIRT_ADDR) != 0;
  say("{\"address\":\"0x%llx\",\"key\":\"0x%llx\",\"length\":%zu}", is_virtual ? (unsigned long long)memory : 0,
      (unsigned long long)fi_mr_key(region), options.largest);
  char line[LONGEST_LINE];
  hear(line);
  unsigned long long address, key;
  if (sscanf(line, "{\"address\":\"%llx\",\"key\":\"%llx\"", &address, &key) != 2) {
    fprintf(stderr, "expected a region, not %s\n", line);
    exit(1);
  }
  remote_address = address;
  remote_key = key;
}

static int post_write(size_t size) {
  struct operation* operation = take_operation(SEND);
  ssize_t result = fi_write(fabric.ep, memory, size, fi_mr_desc(region), fabric.peer, remote_address, remote_key,
                            &operation->context);
  if (!is_posted(result, operation, "fi_write")) return 0;
  posted++;
  return 1;
}

static void take_completions(void) {
  struct fi_cq_tagged_entry entries[BATCH];
  int count = read_completions(fabric.cq, entries);
  for (int i = 0; i < count; i++) free_operation(entries[i].op_context);
  completed += count;
}

// Keeps the window full for so long, and once around at least. Returns the time when it ended.
static double write_for(size_t size, double duration) {
  double now, end = microseconds() + duration;
  long fewest = completed + options.window;
  do {
    while (posted - completed < options.window && post_write(size)) continue;
    take_completions();
    now = microseconds();
  } while (now < end || completed < fewest);
  return now;
}

static void run_client(size_t size, FILE* result) {
  double start = write_for(size, options.seconds * 1e6 / 2);
  long before = completed;
  double end = write_for(size, options.seconds * 1e6);
  write_throughput(result, size, completed - before, end - start);
  while (completed < posted) take_completions();
}

static void run_server(size_t size) {
  (void)size;
}

// Until it is there: a completion of a write says that its memory is free again, not that the peer sees it.
static void check_arrival(void) {
  unsigned char* expected = malloc(options.largest);
  fill_pattern(expected, options.largest, 1);
  double end = microseconds() + ARRIVAL_MICROSECONDS;
  while (memcmp(memory, expected, options.largest) != 0) {
    take_completions();
    if (microseconds() < end) continue;
    fprintf(stderr, "what was written is not what was sent\n");
    exit(1);
  }
}

int main(int argc, char** argv) {
  options = parse_options(argc, argv);
  prepare_operations();
  choose_interface(&fabric, &options, FI_MSG | FI_RMA);
  open_all(&fabric, FI_WAIT_NONE);
  register_memory();
  if (options.is_client) fill_pattern(memory, options.largest, 1);
  meet(&fabric);
  swap_regions();
  char* result = run_phases(fabric.cq, &options, run_client, run_server);
  if (!options.is_client) check_arrival();
  check(fi_close(&region->fid), "fi_close");
  close_all(&fabric);
  say("{\"phases\":[%s]}", result);
  return 0;
}
