// struct fid_fabric.
#pragma once

#include <rdma/fabric.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "accepted_sockets.h"
#include "info.h"
#include "shared_memory.h"

namespace node_libfabric {

struct Fabric {
  Fabric(struct fid_fabric* fabric, InfoPointer description)
      : fid(fabric),
        info(std::move(description)),
        provider(info->fabric_attr->prov_name),
        is_shared_memory(provider && std::strcmp(provider, "shm") == 0),
        is_efa(provider && std::strcmp(provider, "efa") == 0),
        leaves_signals_alone(LeavesSignalsAlone(provider)),
        forgets_accepted_sockets(ForgetsAcceptedSockets(provider)),
        waits_for_closed_endpoints(provider && std::strstr(provider, "ofi_rxm")),
        overruns_multi_receives(OverrunsMultiReceives(provider)) {}
  ~Fabric() {
    if (fid) Close(&fid->fid);
    for (int number : abandoned) close(number);
  }
  Fabric(const Fabric&) = delete;
  Fabric& operator=(const Fabric&) = delete;

  // int fi_close(struct fid *fid)
  // For this fabric and for what was opened from it, endpoints excepted.
  int Close(struct fid* child) const { return is_shared_memory ? shared_memory::Close(child) : fi_close(child); }

  // The same for an endpoint that others connect to. Its connections with `peers` (socket addresses) go on without it.
  int CloseListener(struct fid* listener, const std::vector<std::string>& peers);

  struct fid_fabric* fid;
  // What it was opened with, for domains that are opened with the same.
  InfoPointer info;
  const char* provider;
  bool is_shared_memory;
  bool is_efa;
  // Whether its endpoints never take over signals (native/signal_guard.h), which to look after is a good part of the
  // time that opening one takes.
  bool leaves_signals_alone;
  static bool LeavesSignalsAlone(const char* provider) {
    if (!provider) return false;
    for (const char* name : {"net", "tcp", "tcp;ofi_rxm", "udp", "udp;ofi_rxd", "sockets"}) {
      if (std::strcmp(provider, name) == 0) return true;
    }
    return false;
  }
  bool forgets_accepted_sockets;
  // fi_trywait(3) of a completion queue looks at endpoints that were bound to it and are gone (libfabric 1.17 to 2.6:
  // nobody calls ofi_wait_del_fid).
  bool waits_for_closed_endpoints;
  // A message that is longer than what is left of a multi-receive buffer has the next one written behind its end (rxd
  // of 1.17; sockets: sock_pe_progress_buffered_rx; shm and sm2 up to 2.6: smr_adjust_multi_recv,
  // util_adjust_multi_recv).
  bool overruns_multi_receives;
  static bool OverrunsMultiReceives(const char* provider) {
    if (!provider) return false;
    for (const char* name : {"shm", "sm2", "sockets"}) {
      if (std::strcmp(provider, name) == 0) return true;
    }
    return std::strstr(provider, "ofi_rxd");
  }
  std::vector<int> abandoned;  // file descriptors: native/accepted_sockets.h
  int children = 0;            // open domains
};

}  // namespace node_libfabric
