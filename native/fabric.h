// struct fid_fabric.
#pragma once

#include <rdma/fabric.h>

#include "shared_memory.h"

namespace node_libfabric {

struct Fabric {
  Fabric(struct fid_fabric* fabric, bool is_shm) : fid(fabric), is_shared_memory(is_shm) {}
  ~Fabric() {
    if (fid) Close(&fid->fid);
  }
  Fabric(const Fabric&) = delete;
  Fabric& operator=(const Fabric&) = delete;

  // int fi_close(struct fid *fid)
  // For this fabric and for what was opened from it, endpoints excepted.
  int Close(struct fid* child) const { return is_shared_memory ? shared_memory::Close(child) : fi_close(child); }

  struct fid_fabric* fid;
  bool is_shared_memory;
  int children = 0;  // open domains
};

}  // namespace node_libfabric
