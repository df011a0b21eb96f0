// struct fid_domain.
#pragma once

#include <rdma/fabric.h>
#include <rdma/fi_domain.h>

#include "fabric.h"

namespace node_libfabric {

struct Domain {
  Domain(Fabric* parent, struct fid_domain* domain, int mode) : fabric(parent), fid(domain), mr_mode(mode) {
    fabric->children++;
  }
  ~Domain() {
    if (fid) fabric->Close(&fid->fid);
    fabric->children--;
  }
  Domain(const Domain&) = delete;
  Domain& operator=(const Domain&) = delete;

  int Close(struct fid* child) const { return fabric->Close(child); }

  Fabric* fabric;
  struct fid_domain* fid;
  int mr_mode;
  uint64_t next_key = 1;  // for providers that let the application choose keys
  int children = 0;       // open queues, vectors, endpoints
};

}  // namespace node_libfabric
