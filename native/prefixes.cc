#include "prefixes.h"

#include "memory.h"

namespace node_libfabric {

Prefixes::~Prefixes() {
  if (region_) fi_close(&region_->fid);
}

int Prefixes::Open(Domain* domain, size_t bytes, size_t room, size_t count) {
  if (bytes > kLargest || room > kLargest) return -FI_EINVAL;
  room_ = room;
  size_t stride = bytes + room;
  memory_.reset(new uint8_t[stride * count]());
  void* descriptor = nullptr;
  if (domain->mr_mode & FI_MR_LOCAL) {
    int result = RegisterLocal(domain, memory_.get(), stride * count, &region_);
    if (result) return result;
    descriptor = fi_mr_desc(region_);
  }
  all_.reserve(count);
  for (size_t i = 0; i < count; i++) {
    all_.push_back({{memory_.get() + i * stride, bytes}, descriptor});
    free_.push_back(&all_.back());
  }
  return 0;
}

}  // namespace node_libfabric
