// Keeps the endpoints of the shm provider in this process from pulling memory from under each other.
//
// Two shm endpoints of one process share one mapping of their regions, and the provider unmaps an endpoint's region
// when it is closed, whoever else in the process still writes there: the next message to it is a segmentation fault
// (libfabric 1.17 to 2.x, prov/shm: smr_map_to_region, smr_free). An address vector alone will do: the next endpoint
// that is bound to it looks at every peer. So the closing of shm objects is put off while there is an address vector
// that may know them, whether it was told or has learnt it from a message, and addresses of endpoints that are gone are
// refused.
#pragma once

#include <rdma/fabric.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace node_libfabric {
namespace shared_memory {

// A shm endpoint has been enabled under `name` (its fi_getname).
void EndpointOpened(const std::string& name);

// Removes what a process that was killed has left of an endpoint with this name, if that process had the id that this
// one has now: libfabric takes it to be alive, and refuses. Whether it is worth another try.
bool RemoveStale(const std::string& name);

// Closes it, now or when the last address vector of shm in this process goes. In the second case the provider still
// writes to its buffers: `put_off` stops that as far as it can be stopped, and returns what keeps them in place until
// then.
int CloseEndpoint(struct fid* fid, const std::string& name,
                  const std::function<std::vector<std::shared_ptr<void>>()>& put_off);

// An address vector of shm was opened.
void VectorOpened();

// Closes it, after the endpoints that were closed before it.
int CloseVector(struct fid* fid);

// Closes another object of the shm provider, after the endpoints that were closed before it.
int Close(struct fid* fid);

// How many objects that their owner has closed still wait for that, in the whole process.
size_t CountWaiting();

// 0 when `name` can be inserted in an address vector, or a negative libfabric code: it was an endpoint of this process
// that is gone, or the provider could not map it, which it takes for granted when it is inserted once more.
int CheckPeer(const std::string& name);

// The most peers that a vector of the provider can have.
constexpr size_t kMostPeers = 256;

}  // namespace shared_memory
}  // namespace node_libfabric
