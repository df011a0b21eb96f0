// A fid_nic of our own, for hints: libfabric frees and duplicates a nic through its operations, so it needs some.
#pragma once

#include <rdma/fabric.h>

namespace node_libfabric {

// Zeroed, with its three attribute structures; freed by fi_close or fi_freeinfo.
struct fid_nic* AllocateNic();

}  // namespace node_libfabric
