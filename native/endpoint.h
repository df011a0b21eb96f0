// struct fid_ep: active endpoints.
#pragma once

#include <rdma/fi_endpoint.h>

#include <string>

#include "address_vector.h"
#include "completion_queue.h"
#include "domain.h"

namespace node_libfabric {

struct Endpoint {
  Endpoint(Domain* parent, struct fid_ep* ep, const struct fi_info& info)
      : domain(parent), fid(ep), limits{info.tx_attr->size, info.rx_attr->size} {
    domain->children++;
  }
  ~Endpoint() {
    Close();
    if (queue) queue->children--;
    if (av) av->children--;
    domain->children--;
  }
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  // int fi_close(struct fid *fid)
  int Close() {
    if (!fid) return 0;
    bool is_known = domain->fabric->is_shared_memory && !name.empty();
    int result = is_known ? shared_memory::CloseEndpoint(&fid->fid, name) : domain->Close(&fid->fid);
    if (result) return result;
    fid = nullptr;
    if (queue && !enabled) queue->unready--;
    return 0;
  }

  Domain* domain;
  struct fid_ep* fid;
  std::string name;  // shm: what fi_getname said when it was enabled
  CompletionQueue* queue = nullptr;
  AddressVector* av = nullptr;
  // By direction: how many operations are in flight, and how many the provider has room for (0: it does not say).
  bool IsFull(Direction direction) const {
    size_t limit = limits[static_cast<int>(direction)];
    return limit > 0 && in_flight[static_cast<int>(direction)] >= limit;
  }
  size_t in_flight[2] = {0, 0};
  size_t limits[2];

  bool enabled = false;
  int children = 0;  // nothing hangs on an endpoint yet
};

}  // namespace node_libfabric
