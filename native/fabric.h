// struct fid_fabric.
#pragma once

#include <rdma/fabric.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <initializer_list>
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
        is_shared_memory(IsOneOf({"shm"})),
        is_efa(IsOneOf({"efa"})),
        leaves_signals_alone(IsOneOf({"net", "tcp", "tcp;ofi_rxm", "udp", "udp;ofi_rxd", "sockets"})),
        forgets_accepted_sockets(ForgetsAcceptedSockets(Provider())),
        waits_for_closed_endpoints(IsOver("ofi_rxm")),
        overruns_multi_receives(IsOneOf({"shm", "sm2", "sockets"}) || IsOver("ofi_rxd")) {}
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
  bool is_shared_memory;
  bool is_efa;
  // Whether its endpoints never take over signals (native/signal_guard.h), which to look after is a good part of the
  // time that opening one takes.
  bool leaves_signals_alone;
  bool forgets_accepted_sockets;
  // fi_trywait(3) of a completion queue looks at endpoints that were bound to it and are gone (libfabric 1.17 to 2.6:
  // nobody calls ofi_wait_del_fid).
  bool waits_for_closed_endpoints;
  // A message that is longer than what is left of a multi-receive buffer has the next one written behind its end (rxd
  // of 1.17; sockets: sock_pe_progress_buffered_rx; shm and sm2 up to 2.6: smr_adjust_multi_recv,
  // util_adjust_multi_recv).
  bool overruns_multi_receives;
  std::vector<int> abandoned;  // file descriptors: native/accepted_sockets.h
  int children = 0;            // open domains

 private:
  const char* Provider() const { return info->fabric_attr->prov_name; }
  bool IsOneOf(std::initializer_list<const char*> names) const {
    return Provider() && std::any_of(names.begin(), names.end(),
                                     [this](const char* name) { return std::strcmp(Provider(), name) == 0; });
  }
  // Whether a utility provider makes what another has not.
  bool IsOver(const char* utility) const { return Provider() && std::strstr(Provider(), utility); }
};

}  // namespace node_libfabric
