// struct fid_domain.
#pragma once

#include <rdma/fabric.h>
#include <rdma/fi_domain.h>

#include <deque>
#include <memory>
#include <unordered_set>
#include <utility>

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
  Domain(Fabric* parent, struct fid_domain* domain, InfoPointer description)
      : fabric(parent),
        fid(domain),
        info(std::move(description)),
        caps(info->caps),
        mr_mode(info->domain_attr->mr_mode) {
    fabric->children++;
  }
  ~Domain() {
    CloseNothing();
    if (fid) fabric->Close(&fid->fid);
    fabric->children--;
  }
  Domain(const Domain&) = delete;
  Domain& operator=(const Domain&) = delete;

  void CloseNothing() {
    if (nothing) fi_close(&nothing->fid);
    nothing = nullptr;
  }
  int Close(struct fid* child) const { return fabric->Close(child); }

  // Providers look at a key when an operation of a peer begins, and go on with it whatever happens to the region: what
  // peers could use is retired for a while before its memory is given back, until the last endpoint has gone.
  void Retire(std::shared_ptr<void> region, size_t bytes) {
    retired_regions_.emplace_back(std::move(region), bytes);
    retired_bytes_ += bytes;
    while (retired_regions_.size() > 1 &&
           (retired_regions_.size() > kRetiredRegions || retired_bytes_ > kRetiredBytes)) {
      retired_bytes_ -= retired_regions_.front().second;
      retired_regions_.pop_front();
    }
  }
  void EndpointGone() {
    if (--endpoints > 0) return;
    retired_regions_.clear();
    retired_bytes_ = 0;
  }

  Fabric* fabric;
  struct fid_domain* fid;
  InfoPointer info;  // what it was opened with, for endpoints that are opened with the same
  uint64_t caps;
  int mr_mode;
  uint64_t next_key = 1;  // for providers that let the application choose keys
  Registrations registrations;
  struct fid_mr* nothing = nullptr;  // registered for buffers without bytes, which need a descriptor as well
  int endpoints = 0;
  int children = 0;  // open queues, vectors, endpoints, regions, counters

 private:
  static constexpr size_t kRetiredRegions = 1024;
  static constexpr size_t kRetiredBytes = 64u << 20;

  std::deque<std::pair<std::shared_ptr<void>, size_t>> retired_regions_;
  size_t retired_bytes_ = 0;
};

}  // namespace node_libfabric
