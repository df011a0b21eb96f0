// struct fid_ep: active endpoints.
#pragma once

#include <rdma/fi_endpoint.h>

#include <string>

#include "address_vector.h"
#include "completion_queue.h"
#include "domain.h"
#include "event_queue.h"

namespace node_libfabric {

struct Endpoint {
  Endpoint(Domain* parent, struct fid_ep* ep, const struct fi_info* info)
      : domain(parent), fid(ep), caps(info->caps), type(info->ep_attr->type) {
    domain->children++;
  }
  ~Endpoint() {
    Close();
    if (queue) queue->children--;
    if (av) av->children--;
    if (events) events->children--;
    domain->children--;
  }
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  // int fi_close(struct fid *fid)
  int Close() {
    if (!fid) return 0;
    if (events) events->sources.erase(&fid->fid);
    bool is_known = domain->fabric->is_shared_memory && !name.empty();
    int result = is_known ? shared_memory::CloseEndpoint(&fid->fid, name) : domain->Close(&fid->fid);
    if (!result) fid = nullptr;
    return result;
  }

  int32_t IndexOf(fi_addr_t source) const { return av ? av->IndexOf(source) : -1; }

  Domain* domain;
  struct fid_ep* fid;
  uint64_t caps;
  enum fi_ep_type type;
  std::string name;  // shm: what fi_getname said when it was enabled
  CompletionQueue* queue = nullptr;
  AddressVector* av = nullptr;  // none when it is connected
  EventQueue* events = nullptr;
  bool requested = false;  // opened for a connection request that has not been accepted yet
  bool enabled = false;
  int children = 0;  // nothing hangs on an endpoint yet
};

}  // namespace node_libfabric
