// struct fid_cntr.
#pragma once

#include <rdma/fi_eq.h>

#include "domain.h"

namespace node_libfabric {

struct Endpoint;

struct Counter {
  Counter(Domain* parent, struct fid_cntr* cntr) : domain(parent), fid(cntr) { domain->children++; }
  ~Counter();
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  // int fi_close(struct fid *fid)
  int Close() {
    if (!fid) return 0;
    int result = domain->Close(&fid->fid);
    if (!result) fid = nullptr;
    return result;
  }

  Domain* domain;
  struct fid_cntr* fid;          // none once the endpoint whose operations it triggers is closed
  Endpoint* triggers = nullptr;  // whose operations it triggers
  int children = 0;              // bound endpoints and regions
};

}  // namespace node_libfabric
