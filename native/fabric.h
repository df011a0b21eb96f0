// struct fid_fabric.
#pragma once

#include <rdma/fabric.h>

namespace node_libfabric {

struct Fabric {
  explicit Fabric(struct fid_fabric* fabric) : fid(fabric) {}
  ~Fabric() {
    if (fid) fi_close(&fid->fid);
  }
  Fabric(const Fabric&) = delete;
  Fabric& operator=(const Fabric&) = delete;

  struct fid_fabric* fid;
  int children = 0;  // open domains
};

}  // namespace node_libfabric
