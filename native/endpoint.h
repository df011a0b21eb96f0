// struct fid_ep: active endpoints.
#pragma once

#include <rdma/fi_endpoint.h>

#include <string>
#include <vector>

#include "address_vector.h"
#include "completion_queue.h"
#include "counter.h"
#include "domain.h"

namespace node_libfabric {

struct Endpoint {
  Endpoint(Domain* parent, struct fid_ep* ep, uint64_t capabilities) : domain(parent), fid(ep), caps(capabilities) {
    domain->children++;
  }
  ~Endpoint() {
    Close();
    if (queue) queue->children--;
    if (av) av->children--;
    for (Counter* counter : counters) counter->children--;
    domain->children--;
  }
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  // int fi_close(struct fid *fid)
  int Close() {
    if (!fid) return 0;
    bool is_known = domain->fabric->is_shared_memory && !name.empty();
    int result = is_known ? shared_memory::CloseEndpoint(&fid->fid, name) : domain->Close(&fid->fid);
    if (!result) fid = nullptr;
    return result;
  }

  int32_t IndexOf(fi_addr_t source) const { return av ? av->IndexOf(source) : -1; }

  Domain* domain;
  struct fid_ep* fid;
  uint64_t caps;
  std::string name;  // shm: what fi_getname said when it was enabled
  CompletionQueue* queue = nullptr;
  AddressVector* av = nullptr;
  std::vector<Counter*> counters;
  bool enabled = false;
  int children = 0;  // regions that are bound to it
};

}  // namespace node_libfabric
