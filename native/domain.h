// struct fid_domain.
#pragma once

#include <rdma/fabric.h>
#include <rdma/fi_domain.h>

#include <cstring>
#include <memory>
#include <unordered_set>
#include <vector>

#include "fabric.h"

namespace node_libfabric {

class Memory;

// Registrations behind the scenes, which FI_MR_LOCAL wants of every buffer.
struct Registrations {
  size_t limit = 0;  // 0: none
  uint64_t bytes = 0;
  uint64_t hits = 0;
  uint64_t misses = 0;
  uint64_t evictions = 0;
  uint64_t clock = 0;                   // counts uses: the least recently used goes first
  std::unordered_set<Memory*> members;  // the memories that are registered
};

struct Domain {
  Domain(Fabric* parent, struct fid_domain* domain, const struct fi_info* info)
      : fabric(parent),
        fid(domain),
        caps(info->caps),
        mr_mode(info->domain_attr->mr_mode),
        uses_closed_regions(info->fabric_attr->prov_name && std::strstr(info->fabric_attr->prov_name, "ofi_rxd")) {
    fabric->children++;
  }
  ~Domain() {
    if (fid) fabric->Close(&fid->fid);
    fabric->children--;
  }
  Domain(const Domain&) = delete;
  Domain& operator=(const Domain&) = delete;

  int Close(struct fid* child) const { return fabric->Close(child); }

  void EndpointGone() {
    if (--endpoints == 0) closed_regions.clear();
  }

  Fabric* fabric;
  struct fid_domain* fid;
  uint64_t caps;
  int mr_mode;
  uint64_t next_key = 1;  // for providers that let the application choose keys
  Registrations registrations;
  // rxd looks at the key when an operation of a peer begins, and goes on with it whatever happens to the region: what
  // peers could use stays in place until the last endpoint has gone.
  const bool uses_closed_regions;
  std::vector<std::shared_ptr<void>> closed_regions;
  int endpoints = 0;
  int children = 0;  // open queues, vectors, endpoints, regions, counters
};

}  // namespace node_libfabric
