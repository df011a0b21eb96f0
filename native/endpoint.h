// struct fid_ep: active endpoints.
#pragma once

#include <rdma/fi_endpoint.h>
#include <rdma/fi_errno.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "address_vector.h"
#include "completion_queue.h"
#include "counter.h"
#include "domain.h"
#include "event_queue.h"
#include "group.h"
#include "prefixes.h"

namespace node_libfabric {

// struct fid_stx: a transmit context that endpoints share.
struct SharedTransmit {
  SharedTransmit(Domain* parent, struct fid_stx* stx) : domain(parent), fid(stx) { domain->children++; }
  ~SharedTransmit() {
    if (fid) domain->Close(&fid->fid);
    domain->children--;
  }
  SharedTransmit(const SharedTransmit&) = delete;
  SharedTransmit& operator=(const SharedTransmit&) = delete;

  Domain* domain;
  struct fid_stx* fid;
  int children = 0;  // bound endpoints
};

// Also stands for what libfabric gives the same type: scalable endpoints, their contexts, shared receive contexts.
struct Endpoint {
  Endpoint(Domain* parent, struct fid_ep* ep, const struct fi_info* info)
      : domain(parent),
        fid(ep),
        caps(info->caps),
        type(info->ep_attr->type),
        limits{info->tx_attr->size, info->rx_attr->size},
        iov_limits{info->tx_attr->iov_limit, info->rx_attr->iov_limit} {
    domain->children++;
    domain->endpoints++;
  }
  // A context of a scalable endpoint, or an alias. It finds addresses in its owner's vector.
  Endpoint(Endpoint* scalable, struct fid_ep* ep)
      : domain(scalable->domain),
        fid(ep),
        caps(scalable->caps),
        type(scalable->type),
        av(scalable->av),
        owner(scalable),
        limits{scalable->limits[0], scalable->limits[1]},
        iov_limits{scalable->iov_limits[0], scalable->iov_limits[1]} {
    owner->children++;
    if (av) av->children++;
    domain->children++;
    domain->endpoints++;
  }
  ~Endpoint() {
    Close();
    if (queue) queue->children--;
    if (av) av->children--;
    if (shared_transmit) shared_transmit->children--;
    if (owner) owner->children--;
    for (Counter* counter : counters) counter->children--;
    for (Counter* counter : triggering) counter->triggers = nullptr;
    if (events) events->children--;
    domain->EndpointGone();
    domain->children--;
  }
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  // int fi_close(struct fid *fid)
  int Close() {
    if (!fid) return 0;
    groups.LeaveMulticast();
    if (events) events->sources.erase(&fid->fid);
    // What they would trigger must not find the endpoint gone; those that it is bound to close after it.
    for (Counter* counter : triggering) {
      if (counter->children == 0) counter->Close();
    }
    if (av && domain->fabric->is_efa) ForgetPeers();
    struct fid_av* lent = LendVector();
    bool is_known = domain->fabric->is_shared_memory && !name.empty();
    bool is_listening = enabled && type == FI_EP_RDM && av;
    int result = is_known       ? shared_memory::CloseEndpoint(&fid->fid, name, [this] { return CancelAll(); })
                 : is_listening ? domain->fabric->CloseListener(&fid->fid, {})
                                : domain->Close(&fid->fid);
    if (lent) fi_close(&lent->fid);
    if (result == -FI_EBUSY && groups.is_stuck) result = 0;  // given up
    if (result) return result;
    fid = nullptr;
    // One that the provider keeps is given up: nobody may change it any more.
    for (Counter* counter : triggering) {
      counter->Close();
      counter->fid = nullptr;
    }
    groups.LeaveCollectives();
    if (queue && !enabled) queue->unready--;
    if (queue && domain->fabric->waits_for_closed_endpoints) queue->cannot_wait = true;
    return 0;
  }

  // An address vector for an endpoint that never got one, where fi_close looks into it all the same: a segmentation
  // fault with net and ofi_rxm of libfabric 1.17 (rxm_freeall_conns). To be closed after the endpoint; null where none
  // is due.
  struct fid_av* LendVector() const;

  // Of efa: fi_close would wait until the peers have taken all that is queued for them, for ever where one does not
  // (libfabric 1.17 to 2.6: rxr_ep_wait_send, efa_rdm_ep_wait_send).
  void ForgetPeers();

  // Cancels what is in flight, and returns what keeps its buffers in place.
  std::vector<std::shared_ptr<void>> CancelAll();

  int32_t IndexOf(fi_addr_t source) const { return av ? av->IndexOf(source) : -1; }

  Domain* domain;
  struct fid_ep* fid;
  uint64_t caps;
  enum fi_ep_type type;
  std::string name;  // shm: what fi_getname said when it was enabled
  CompletionQueue* queue = nullptr;
  AddressVector* av = nullptr;  // none when it is connected
  EventQueue* events = nullptr;
  std::shared_ptr<const void>
      listener;            // of the passive endpoint that it was requested from: PassiveEndpoint::connections
  bool requested = false;  // opened for a connection request that has not been accepted yet
  std::string peer;        // the socket address of who requested it
  SharedTransmit* shared_transmit = nullptr;
  Endpoint* owner = nullptr;  // of a context: its scalable endpoint; of an endpoint: the receive context that it shares
  // By direction: how many operations are in flight, and how many the provider has room for (0: it does not say).
  bool IsFull(Direction direction) const {
    if (prefixes && prefixes->AreAllTaken()) return true;
    size_t limit = limits[static_cast<int>(direction)];
    return limit > 0 && in_flight[static_cast<int>(direction)] >= limit;
  }
  size_t in_flight[2] = {0, 0};
  size_t limits[2];
  // By direction: how many buffers an operation may have. Providers copy them to arrays of that size.
  bool Takes(Direction direction, size_t buffers) const {
    return buffers <= 1 || buffers <= iov_limits[static_cast<int>(direction)];
  }
  size_t iov_limits[2];
  std::unique_ptr<Prefixes> prefixes;  // where the provider has FI_MSG_PREFIX

  // Peeks that have claimed a message which has not been received yet, the oldest first.
  std::deque<Operation*> claimed;

  Groups groups;
  std::vector<Counter*> counters;
  std::vector<Counter*> triggering;  // those that trigger operations of this one
  // The same endpoint with other flags by default. Its operations are the other's, and outlive it.
  Endpoint* alias_of = nullptr;
  const Endpoint* original() const { return alias_of ? alias_of : this; }
  Endpoint* original() { return alias_of ? alias_of : this; }
  bool enabled = false;
  int children = 0;  // those that have this one as owner, and regions that are bound to it
};

}  // namespace node_libfabric
