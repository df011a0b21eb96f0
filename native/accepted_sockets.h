// Connections that libfabric's tcp providers forget when what listens is closed.
//
// They accept a socket, and learn from its first bytes what it wants. Closing the listener meanwhile frees what they
// will look at when those bytes come, or when the peer dies: a segmentation fault at the next progress of the domain or
// event queue (tcp and net of libfabric 1.17, tcp up to 2.6: xnet_pep_close, tcpx_pep_fi_close). So such sockets are
// taken away from them.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

namespace node_libfabric {

// Whether a provider, by a name such as "tcp;ofi_rxm", forgets them.
bool ForgetsAcceptedSockets(const char* provider);

class AcceptedSockets {
 public:
  // Those that a listener, which is still open, has accepted: all that have its address as their own.
  AcceptedSockets(const void* listener, size_t length);

  // After it was closed: ends those that are still open, except for the connections with `peers`, socket addresses.
  // Their numbers stay taken, since tcp of libfabric 1.17 goes on counting on them; `numbers` has them, to be closed
  // with the fabric.
  void Abandon(const std::vector<std::string>& peers, std::vector<int>* numbers) const;

 private:
  struct Socket {
    int number;
    ino_t inode;       // says whether it is still the same one
    std::string peer;  // empty when that has gone
  };

  std::vector<Socket> sockets_;
};

}  // namespace node_libfabric
