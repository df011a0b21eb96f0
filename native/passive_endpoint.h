// struct fid_pep, and the connection requests that arrive at it.
#pragma once

#include <rdma/fi_cm.h>
#include <rdma/fi_endpoint.h>

#include <cstring>
#include <memory>
#include <unordered_set>
#include <utility>

#include "event_queue.h"
#include "fabric.h"
#include "info.h"

namespace node_libfabric {

struct Environment;
struct PassiveEndpoint;

// Somebody wants to connect. The provider holds the request until it is rejected, at the latest when its passive
// endpoint goes, or until an endpoint is opened for it: that one has it then, accepts it or takes it along. (sockets
// frees it with the endpoint; rejecting it as well would free it twice.)
class ConnectionRequest {
 public:
  ConnectionRequest(PassiveEndpoint* listener, InfoPointer information);
  ~ConnectionRequest() { Reject(nullptr, 0); }
  ConnectionRequest(const ConnectionRequest&) = delete;
  ConnectionRequest& operator=(const ConnectionRequest&) = delete;

  bool IsOpen() const { return listener_ != nullptr; }
  Fabric* fabric() const;
  struct fid* listener() const;
  std::shared_ptr<const void> connections() const;
  // Has the provider's handle of the request in it.
  struct fi_info* info() const {
    return info_.get();
  }

  // An endpoint has it now, or nobody.
  void Answered();

  // int fi_reject(struct fid_pep *pep, fid_t handle, const void *param, size_t paramlen)
  int Reject(const void* data, size_t length);

 private:
  PassiveEndpoint* listener_;
  InfoPointer info_;
};

struct PassiveEndpoint {
  PassiveEndpoint(Environment* owner, Fabric* parent, struct fid_pep* pep, InfoPointer information)
      : environment(owner), fabric(parent), fid(pep), info(std::move(information)) {
    fabric->children++;
  }
  ~PassiveEndpoint() {
    Close();
    if (events) events->children--;
    fabric->children--;
  }
  PassiveEndpoint(const PassiveEndpoint&) = delete;
  PassiveEndpoint& operator=(const PassiveEndpoint&) = delete;

  // int fi_close(struct fid *fid)
  int Close();
  int CloseFid();

  Environment* environment;
  Fabric* fabric;
  struct fid_pep* fid;
  InfoPointer info;  // sockets keeps pointers into it
  // Shared with the endpoints that were opened for its requests.
  std::shared_ptr<const void> connections = std::make_shared<char>();
  EventQueue* events = nullptr;
  std::unordered_set<ConnectionRequest*> requests;  // those that nobody has answered
  int children = 0;                                 // nothing keeps it open
};

inline ConnectionRequest::ConnectionRequest(PassiveEndpoint* listener, InfoPointer information)
    : listener_(listener), info_(std::move(information)) {
  listener_->requests.insert(this);
}

inline Fabric* ConnectionRequest::fabric() const {
  return listener_ ? listener_->fabric : nullptr;
}

inline struct fid* ConnectionRequest::listener() const {
  return &listener_->fid->fid;
}

inline std::shared_ptr<const void> ConnectionRequest::connections() const {
  return listener_ ? listener_->connections : nullptr;
}

inline void ConnectionRequest::Answered() {
  if (!IsOpen()) return;
  listener_->requests.erase(this);
  listener_ = nullptr;
}

inline int ConnectionRequest::Reject(const void* data, size_t length) {
  if (!IsOpen()) return 0;
  struct fid_pep* pep = listener_->fid;
  Answered();
  return fi_reject(pep, info_->handle, data, length);
}

}  // namespace node_libfabric
