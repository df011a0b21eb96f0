// struct fid_cntr.
#pragma once

#include <rdma/fi_eq.h>

#include "domain.h"

namespace node_libfabric {

struct Counter {
  Counter(Domain* parent, struct fid_cntr* cntr) : domain(parent), fid(cntr) { domain->children++; }
  ~Counter() {
    if (fid) domain->Close(&fid->fid);
    domain->children--;
  }
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  Domain* domain;
  struct fid_cntr* fid;
  int children = 0;  // bound endpoints and regions
};

}  // namespace node_libfabric
