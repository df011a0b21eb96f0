// struct fid_ep: active endpoints.
#pragma once

#include <rdma/fi_endpoint.h>
#include <rdma/fi_errno.h>

#include <string>

#include "address_vector.h"
#include "completion_queue.h"
#include "domain.h"
#include "group.h"

namespace node_libfabric {

struct Endpoint {
  Endpoint(Domain* parent, struct fid_ep* ep, uint64_t capabilities) : domain(parent), fid(ep), caps(capabilities) {
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
    groups.LeaveMulticast();
    bool is_known = domain->fabric->is_shared_memory && !name.empty();
    int result = is_known ? shared_memory::CloseEndpoint(&fid->fid, name) : domain->Close(&fid->fid);
    if (result == -FI_EBUSY && groups.is_stuck) result = 0;  // given up
    if (result) return result;
    fid = nullptr;
    groups.LeaveCollectives();
    return 0;
  }

  int32_t IndexOf(fi_addr_t source) const { return av ? av->IndexOf(source) : -1; }

  Domain* domain;
  struct fid_ep* fid;
  uint64_t caps;
  std::string name;  // shm: what fi_getname said when it was enabled
  CompletionQueue* queue = nullptr;
  AddressVector* av = nullptr;
  Groups groups;
  bool enabled = false;
  int children = 0;  // nothing hangs on an endpoint yet
};

}  // namespace node_libfabric
