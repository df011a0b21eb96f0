// One end of a connection in plain libfabric: private data both ways, a message there and back, shutdown.
//
// msg_connect listen PROVIDER        prints the port, then what happens
// msg_connect connect PROVIDER PORT  sends first, shuts down last
#include <arpa/inet.h>
#include <netinet/in.h>
#include <rdma/fabric.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(call)                                                   \
  do {                                                                \
    int check_result = (int)(call);                                   \
    if (check_result) {                                               \
      fprintf(stderr, "%s: %s\n", #call, fi_strerror(-check_result)); \
      exit(1);                                                        \
    }                                                                 \
  } while (0)

static struct fid_fabric* fabric;
static struct fid_domain* domain;
static struct fid_eq* eq;
static struct fid_cq* cq;
static struct fid_ep* ep;
static char message[1 << 16];
static struct fi_context2 contexts[2];

static union {
  struct fi_eq_cm_entry connection;
  char bytes[sizeof(struct fi_eq_cm_entry) + 1024];
} entry;

static struct fi_info* find(const char* provider, const char* port, uint64_t flags) {
  struct fi_info *hints = fi_allocinfo(), *info;
  hints->caps = FI_MSG;
  hints->mode = FI_CONTEXT | FI_CONTEXT2;
  hints->ep_attr->type = FI_EP_MSG;
  hints->fabric_attr->prov_name = strdup(provider);
  CHECK(fi_getinfo(FI_VERSION(1, 17), "127.0.0.1", port, flags, hints, &info));
  fi_freeinfo(hints);
  return info;
}

// The next event, which has to be of this type; returns the length of its private data.
static size_t expect(uint32_t expected) {
  memset(&entry, 0, sizeof(entry));
  for (;;) {
    uint32_t event;
    ssize_t length = fi_eq_read(eq, &event, &entry, sizeof(entry), 0);
    if (length == -FI_EAGAIN) {
      // tcp notices the end of a connection when it looks for completions
      struct fi_cq_msg_entry completion;
      if (cq && fi_cq_read(cq, &completion, 1) == -FI_EAVAIL) {
        struct fi_cq_err_entry flushed = {0};
        fi_cq_readerr(cq, &flushed, 0);
      }
      sched_yield();
      continue;
    }
    if (length == -FI_EAVAIL) {
      struct fi_eq_err_entry error = {.err_data = entry.bytes, .err_data_size = sizeof(entry.bytes)};
      fi_eq_readerr(eq, &error, 0);
      printf("refused %s %.*s\n", fi_strerror(error.err), (int)error.err_data_size, (char*)error.err_data);
      exit(0);
    }
    if (length < 0 || event != expected) {
      fprintf(stderr, "expected event %u, got %zd (event %u)\n", expected, length, event);
      exit(1);
    }
    return (size_t)length - sizeof(struct fi_eq_cm_entry);
  }
}

static void open_endpoint(struct fi_info* info) {
  struct fi_cq_attr attr = {.format = FI_CQ_FORMAT_MSG, .wait_obj = FI_WAIT_NONE};
  CHECK(fi_domain(fabric, info, &domain, NULL));
  CHECK(fi_cq_open(domain, &attr, &cq, NULL));
  CHECK(fi_endpoint(domain, info, &ep, NULL));
  CHECK(fi_ep_bind(ep, &eq->fid, 0));
  CHECK(fi_ep_bind(ep, &cq->fid, FI_TRANSMIT | FI_RECV));
  CHECK(fi_enable(ep));
  CHECK(fi_recv(ep, message, sizeof(message), NULL, 0, &contexts[0]));
}

static size_t complete(void) {
  struct fi_cq_msg_entry completion;
  ssize_t result;
  do result = fi_cq_read(cq, &completion, 1);
  while (result == -FI_EAGAIN);
  if (result != 1) {
    fprintf(stderr, "fi_cq_read: %s\n", fi_strerror((int)-result));
    exit(1);
  }
  return completion.len;
}

static void run_listener(const char* provider) {
  struct fi_info* info = find(provider, "0", FI_SOURCE);
  struct fi_eq_attr attr = {.wait_obj = FI_WAIT_UNSPEC};
  struct fid_pep* pep;
  struct sockaddr_in name;
  size_t length = sizeof(name);
  CHECK(fi_fabric(info->fabric_attr, &fabric, NULL));
  CHECK(fi_eq_open(fabric, &attr, &eq, NULL));
  CHECK(fi_passive_ep(fabric, info, &pep, NULL));
  CHECK(fi_pep_bind(pep, &eq->fid, 0));
  CHECK(fi_listen(pep));
  CHECK(fi_getname(&pep->fid, &name, &length));
  printf("port %d\n", ntohs(name.sin_port));
  expect(FI_CONNREQ);
  printf("request %s\n", (char*)entry.connection.data);
  if (strncmp((char*)entry.connection.data, "reject", 6) == 0) {
    CHECK(fi_reject(pep, entry.connection.info->handle, "not you", 8));
    // the peer reads it before this end of the socket goes
    getchar();
    exit(0);
  }
  open_endpoint(entry.connection.info);
  CHECK(fi_accept(ep, "from C", 7));
  expect(FI_CONNECTED);
  size_t size = complete();
  CHECK(fi_send(ep, message, size, NULL, 0, &contexts[1]));
  complete();
  printf("echoed %zu\n", size);
  expect(FI_SHUTDOWN);
  printf("shutdown\n");
}

static void run_client(const char* provider, const char* port) {
  struct fi_info* info = find(provider, port, 0);
  struct fi_eq_attr attr = {.wait_obj = FI_WAIT_UNSPEC};
  static char sent[1000];
  CHECK(fi_fabric(info->fabric_attr, &fabric, NULL));
  CHECK(fi_eq_open(fabric, &attr, &eq, NULL));
  open_endpoint(info);
  CHECK(fi_connect(ep, info->dest_addr, "from C", 7));
  expect(FI_CONNECTED);
  printf("connected %s\n", (char*)entry.connection.data);
  for (size_t i = 0; i < sizeof(sent); i++) sent[i] = (char)(i * 7);
  CHECK(fi_send(ep, sent, sizeof(sent), NULL, 0, &contexts[1]));
  complete();
  size_t size = complete();
  printf("echo %s\n", size <= sizeof(sent) && memcmp(message, sent, sizeof(sent)) == 0 ? "same" : "different");
  CHECK(fi_shutdown(ep, 0));
}

int main(int argc, char** argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc == 3 && strcmp(argv[1], "listen") == 0) {
    run_listener(argv[2]);
  } else if (argc == 4 && strcmp(argv[1], "connect") == 0) {
    run_client(argv[2], argv[3]);
  } else {
    fprintf(stderr, "usage: msg_connect listen PROVIDER | connect PROVIDER PORT\n");
    return 2;
  }
  return 0;
}
