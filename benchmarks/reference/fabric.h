// An endpoint and what it needs, opened as node-libfabric's select() and Endpoint.open() do: the same hints, the same
// attributes.
#pragma once

#include <rdma/fabric.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "options.h"

struct fabric {
  struct fi_info* info;
  struct fid_fabric* fabric;
  struct fid_domain* domain;
  struct fid_eq* eq;
  struct fid_cq* cq;
  struct fid_av* av;
  struct fid_ep* ep;
  fi_addr_t peer;
};

static inline void check(long result, const char* call) {
  if (result >= 0) return;
  fprintf(stderr, "%s: %s\n", call, fi_strerror((int)-result));
  exit(1);
}

static inline void choose_interface(struct fabric* fabric, const struct options* options, uint64_t caps) {
  struct fi_info* hints = fi_allocinfo();
  hints->caps = caps;
  hints->mode = FI_CONTEXT | FI_CONTEXT2;
  hints->ep_attr->type = FI_EP_RDM;
  hints->domain_attr->threading = FI_THREAD_DOMAIN;
  hints->domain_attr->mr_mode = FI_MR_LOCAL | FI_MR_ALLOCATED | FI_MR_PROV_KEY | FI_MR_VIRT_ADDR;
  hints->fabric_attr->prov_name = strdup(options->provider);
  if (options->domain) hints->domain_attr->name = strdup(options->domain);
  check(fi_getinfo(FI_VERSION(FI_MAJOR_VERSION, FI_MINOR_VERSION), NULL, NULL, 0, hints, &fabric->info), "fi_getinfo");
  fi_freeinfo(hints);
  // With it, shm does not check keys: select() leaves it out.
  if (strcmp(options->provider, "shm") == 0) fabric->info->domain_attr->mr_mode &= ~FI_MR_VIRT_ADDR;
}

// `wait_object` is FI_WAIT_NONE for who polls; with FI_WAIT_FD the queue has a descriptor, where the provider has such.
static inline void open_queue(struct fabric* fabric, enum fi_wait_obj wait_object) {
  size_t size = fabric->info->tx_attr->size + fabric->info->rx_attr->size;
  struct fi_cq_attr attr = {
      .size = size < 65536 ? size : 65536, .format = FI_CQ_FORMAT_TAGGED, .wait_obj = wait_object};
  if (wait_object == FI_WAIT_FD && fi_cq_open(fabric->domain, &attr, &fabric->cq, NULL) == 0) return;
  attr.wait_obj = FI_WAIT_NONE;
  check(fi_cq_open(fabric->domain, &attr, &fabric->cq, NULL), "fi_cq_open");
}

static inline void open_domain(struct fabric* fabric) {
  check(fi_fabric(fabric->info->fabric_attr, &fabric->fabric, NULL), "fi_fabric");
  check(fi_domain(fabric->fabric, fabric->info, &fabric->domain, NULL), "fi_domain");
}

static inline void open_addresses(struct fabric* fabric) {
  struct fi_av_attr attr = {.type = FI_AV_UNSPEC};
  check(fi_av_open(fabric->domain, &attr, &fabric->av, NULL), "fi_av_open");
}

static inline void open_endpoint(struct fabric* fabric) {
  check(fi_endpoint(fabric->domain, fabric->info, &fabric->ep, NULL), "fi_endpoint");
  // Not every provider has an event queue for such endpoints.
  if (fabric->eq) fi_ep_bind(fabric->ep, &fabric->eq->fid, 0);
  check(fi_ep_bind(fabric->ep, &fabric->cq->fid, FI_SEND | FI_RECV), "fi_ep_bind");
  check(fi_ep_bind(fabric->ep, &fabric->av->fid, 0), "fi_ep_bind");
  check(fi_enable(fabric->ep), "fi_enable");
}

static inline void open_event_queue(struct fabric* fabric) {
  struct fi_eq_attr attr = {.wait_obj = FI_WAIT_FD};
  if (fi_eq_open(fabric->fabric, &attr, &fabric->eq, NULL)) fabric->eq = NULL;
}

static inline void open_all(struct fabric* fabric, enum fi_wait_obj wait_object) {
  open_domain(fabric);
  open_queue(fabric, wait_object);
  open_addresses(fabric);
  open_event_queue(fabric);
  open_endpoint(fabric);
}

static inline void close_all(struct fabric* fabric) {
  check(fi_close(&fabric->ep->fid), "fi_close");
  if (fabric->eq) check(fi_close(&fabric->eq->fid), "fi_close");
  check(fi_close(&fabric->av->fid), "fi_close");
  check(fi_close(&fabric->cq->fid), "fi_close");
  check(fi_close(&fabric->domain->fid), "fi_close");
  check(fi_close(&fabric->fabric->fid), "fi_close");
}

// Swaps addresses with the other end.
static inline void meet(struct fabric* fabric) {
  unsigned char address[1024];
  size_t length = sizeof(address);
  check(fi_getname(&fabric->ep->fid, address, &length), "fi_getname");
  char text[2 * sizeof(address) + 1] = "";
  for (size_t i = 0; i < length; i++) snprintf(text + 2 * i, 3, "%02x", address[i]);
  say("%s", text);

  char line[LONGEST_LINE];
  hear(line);
  length = strlen(line) / 2;
  if (length > sizeof(address)) length = sizeof(address);
  for (size_t i = 0; i < length; i++) sscanf(line + 2 * i, "%2hhx", &address[i]);
  check(fi_av_insert(fabric->av, address, 1, &fabric->peer, 0, NULL) - 1, "fi_av_insert");
}
