// struct fid_mr: memory that the application registered. (What is registered behind the scenes belongs to Memory.)
#pragma once

#include <rdma/fi_domain.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "counter.h"
#include "domain.h"
#include "endpoint.h"
#include "memory.h"

namespace node_libfabric {

struct Environment;

struct MemoryRegion {
  // One of the buffers that it is made of. Device memory has no Memory.
  struct Part {
    Memory* memory;
    int32_t handle;
    uint8_t* start;
    size_t length;
  };

  // `parts` are kept in place for as long as the region is open.
  MemoryRegion(Environment* owner, Domain* parent, struct fid_mr* mr, std::vector<Part> parts, uint64_t access);
  ~MemoryRegion();
  MemoryRegion(const MemoryRegion&) = delete;
  MemoryRegion& operator=(const MemoryRegion&) = delete;

  // int fi_close(struct fid *fid)
  int Close();

  // Operations of this domain in flight whose local buffers lie in it.
  int InFlight() const;

  Environment* environment;
  Domain* domain;
  struct fid_mr* fid;
  std::vector<Part> parts;
  const bool is_exposed;  // to peers
  std::vector<Counter*> counters;
  Endpoint* endpoint = nullptr;  // FI_MR_ENDPOINT
};

}  // namespace node_libfabric
