// The other end of test/rma-peer.test.ts: plain libfabric. argv: provider
//
// Says "address HEX" and "region ADDRESS KEY LENGTH", then does what it is told on stdin, one line each, and answers:
//   peer HEX | remote ADDRESS KEY | fill BYTE | write LENGTH | read LENGTH | add VALUE | byte INDEX | local INDEX |
//   quit
#include <poll.h>
#include <rdma/fabric.h>
#include <rdma/fi_atomic.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_rma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LENGTH (1 << 20)
#define KEY 0x2a

static void check(long result, const char* call) {
  if (result >= 0) return;
  fprintf(stderr, "%s: %s\n", call, fi_strerror((int)-result));
  exit(1);
}

static struct fid_ep* ep;
static struct fid_cq* cq;
static fi_addr_t peer;
static uint64_t remote_address, remote_key;
static unsigned char *target, *local;
static int outstanding;

static void progress(void) {
  struct fi_cq_tagged_entry entry;
  ssize_t result = fi_cq_read(cq, &entry, 1);
  if (result == -FI_EAGAIN) return;
  if (result == -FI_EAVAIL) {
    struct fi_cq_err_entry error = {0};
    fi_cq_readerr(cq, &error, 0);
    fprintf(stderr, "operation: %s\n", fi_strerror(error.err));
    exit(1);
  }
  check(result, "fi_cq_read");
  if (entry.flags & FI_REMOTE_WRITE) {
    printf("data %llx\n", (unsigned long long)entry.data);
    fflush(stdout);
  } else {
    outstanding--;
  }
}

// Posts until the provider takes it, and waits for its completion.
#define DO(call)                                        \
  do {                                                  \
    ssize_t posted;                                     \
    while ((posted = (call)) == -FI_EAGAIN) progress(); \
    check(posted, #call);                               \
    outstanding = 1;                                    \
    while (outstanding > 0) progress();                 \
  } while (0)

static void obey(char* line) {
  static struct fi_context2 context;
  unsigned long long first = 0, second = 0;
  char hex[2048];
  if (sscanf(line, "peer %2047s", hex) == 1) {
    unsigned char address[1024];
    size_t length = strlen(hex) / 2;
    for (size_t i = 0; i < length; i++) sscanf(hex + 2 * i, "%2hhx", &address[i]);
    check(fi_av_insert((struct fid_av*)ep->fid.context, address, 1, &peer, 0, NULL) - 1, "fi_av_insert");
  } else if (sscanf(line, "remote %llx %llx", &first, &second) == 2) {
    remote_address = first;
    remote_key = second;
  } else if (sscanf(line, "fill %llu", &first) == 1) {
    memset(local, (int)first, LENGTH);
  } else if (sscanf(line, "write %llu", &first) == 1) {
    struct iovec vector = {local, first};
    struct fi_rma_iov place = {remote_address, first, remote_key};
    struct fi_msg_rma message = {&vector, NULL, 1, peer, &place, 1, &context, 0};
    DO(fi_writemsg(ep, &message, FI_DELIVERY_COMPLETE));
  } else if (sscanf(line, "read %llu", &first) == 1) {
    DO(fi_read(ep, local, first, NULL, peer, remote_address, remote_key, &context));
  } else if (sscanf(line, "add %llu", &first) == 1) {
    uint64_t value = first, former = 0;
    DO(fi_fetch_atomic(ep, &value, 1, NULL, &former, NULL, peer, remote_address, remote_key, FI_UINT64, FI_SUM,
                       &context));
    printf("former %llu\n", (unsigned long long)former);
    fflush(stdout);
    return;
  } else if (sscanf(line, "local %llu", &first) == 1) {
    printf("byte %d\n", local[first]);
    fflush(stdout);
    return;
  } else if (sscanf(line, "byte %llu", &first) == 1) {
    printf("byte %d\n", target[first]);
    fflush(stdout);
    return;
  } else if (strncmp(line, "quit", 4) == 0) {
    exit(0);
  }
  printf("done\n");
  fflush(stdout);
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const char* provider = argv[1];
  struct fi_info *hints = fi_allocinfo(), *info;
  hints->caps = FI_MSG | FI_TAGGED | FI_RMA | (strcmp(argv[2], "atomic") == 0 ? FI_ATOMIC : 0);
  hints->mode = FI_CONTEXT | FI_CONTEXT2;
  hints->ep_attr->type = FI_EP_RDM;
  hints->domain_attr->mr_mode = 0;
  hints->domain_attr->threading = FI_THREAD_DOMAIN;
  hints->fabric_attr->prov_name = strdup(provider);
  int is_shm = strcmp(provider, "shm") == 0;
  check(fi_getinfo(FI_VERSION(1, 17), is_shm ? NULL : "127.0.0.1", NULL, is_shm ? 0 : FI_SOURCE, hints, &info),
        "fi_getinfo");
  struct fid_fabric* fabric;
  struct fid_domain* domain;
  struct fid_av* av;
  struct fid_mr* mr;
  struct fi_cq_attr cq_attr = {.format = FI_CQ_FORMAT_TAGGED, .wait_obj = FI_WAIT_NONE};
  struct fi_av_attr av_attr = {0};
  target = calloc(1, LENGTH);
  local = calloc(1, LENGTH);
  check(fi_fabric(info->fabric_attr, &fabric, NULL), "fi_fabric");
  check(fi_domain(fabric, info, &domain, NULL), "fi_domain");
  check(fi_cq_open(domain, &cq_attr, &cq, NULL), "fi_cq_open");
  check(fi_av_open(domain, &av_attr, &av, NULL), "fi_av_open");
  check(fi_endpoint(domain, info, &ep, av), "fi_endpoint");
  ep->fid.context = av;
  check(fi_ep_bind(ep, &cq->fid, FI_TRANSMIT | FI_RECV), "fi_ep_bind");
  check(fi_ep_bind(ep, &av->fid, 0), "fi_ep_bind");
  check(fi_enable(ep), "fi_enable");
  check(fi_mr_reg(domain, target, LENGTH, FI_REMOTE_READ | FI_REMOTE_WRITE, 0, KEY, 0, &mr, NULL), "fi_mr_reg");

  unsigned char name[1024];
  size_t length = sizeof(name);
  check(fi_getname(&ep->fid, name, &length), "fi_getname");
  printf("address ");
  for (size_t i = 0; i < length; i++) printf("%02x", name[i]);
  printf("\nregion 0 %llx %d\n", (unsigned long long)fi_mr_key(mr), LENGTH);
  fflush(stdout);

  static char line[4096];
  size_t used = 0;
  struct pollfd input = {STDIN_FILENO, POLLIN, 0};
  for (;;) {
    progress();
    if (poll(&input, 1, 0) <= 0) continue;
    ssize_t got = read(STDIN_FILENO, line + used, 1);
    if (got <= 0) return 0;
    if (line[used] != '\n') {
      if (++used == sizeof(line)) return 1;
      continue;
    }
    line[used] = '\0';
    used = 0;
    obey(line);
  }
}
