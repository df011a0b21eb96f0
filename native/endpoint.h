// struct fid_ep: active endpoints.
#pragma once

#include <rdma/fi_endpoint.h>

#include "address_vector.h"
#include "completion_queue.h"
#include "domain.h"

namespace node_libfabric {

struct Endpoint {
  Endpoint(Domain* parent, struct fid_ep* ep) : domain(parent), fid(ep) { domain->children++; }
  ~Endpoint() {
    if (fid) fi_close(&fid->fid);
    if (queue) queue->children--;
    if (av) av->children--;
    domain->children--;
  }
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  Domain* domain;
  struct fid_ep* fid;
  CompletionQueue* queue = nullptr;
  AddressVector* av = nullptr;
  bool enabled = false;
  int children = 0;  // nothing hangs on an endpoint yet
};

}  // namespace node_libfabric
