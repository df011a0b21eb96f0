// struct fid_eq.
#pragma once

#include <rdma/fi_eq.h>

#include <cstdint>
#include <unordered_map>

#include "fabric.h"

namespace node_libfabric {

class EventWatch;

struct EventQueue {
  EventQueue(Fabric* parent, struct fid_eq* eq, bool has_descriptor);
  ~EventQueue();
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  // What JavaScript calls the object that an event is about; -1 for one that is closed or unknown.
  int32_t SourceOf(struct fid* source) const {
    auto found = sources.find(source);
    return found == sources.end() ? -1 : found->second;
  }

  Fabric* fabric;
  struct fid_eq* fid;
  int descriptor = -1;  // wait file descriptor, -1 where the provider has none
  EventWatch* watch = nullptr;
  std::unordered_map<struct fid*, int32_t> sources;  // handles of what is bound, by the fid that events carry
  int children = 0;                                  // bound endpoints, active and passive
};

}  // namespace node_libfabric
