// What libfabric 1.20 added to fi_mr_regattr(3) for dma-buf: memory of a device as a file descriptor. Declared here,
// since the addon is built with older headers.
#pragma once

#include <rdma/fi_domain.h>

#include <cstdint>

#include "libfabric.h"

namespace node_libfabric {

// FI_MR_DMABUF: fi_mr_attr names a Dmabuf in the place of mr_iov.
constexpr uint64_t kMrDmabuf = 1ull << 40;

// struct fi_mr_dmabuf
struct Dmabuf {
  int fd;
  uint64_t offset;
  size_t len;
  void* base_addr;
};

inline bool HasDmabuf() {
  return FI_VERSION_GE(LoadLibfabric(nullptr)->version, FI_VERSION(1, 20));
}

}  // namespace node_libfabric
