#include "endpoint.h"

#include <rdma/fi_cm.h>

#include "core_sharing.h"
#include "environment.h"
#include "padded.h"
#include "post.h"
#include "signal_guard.h"
#include "trigger.h"

namespace node_libfabric {

struct fid_av* Endpoint::LendVector() const {
  const Fabric* fabric = domain->fabric;
  bool is_due = !av && type == FI_EP_RDM && (fabric->forgets_accepted_sockets || fabric->waits_for_closed_endpoints);
  if (!is_due) return nullptr;
  // int fi_av_open(struct fid_domain *domain, struct fi_av_attr *attr, struct fid_av **av, void *context)
  Padded<struct fi_av_attr> attr;
  struct fid_av* lent = nullptr;
  if (fi_av_open(domain->fid, attr.get(), &lent, nullptr)) return nullptr;
  // int fi_ep_bind(struct fid_ep *ep, struct fid *bfid, uint64_t flags)
  fi_ep_bind(fid, &lent->fid, 0);
  return lent;
}

void Endpoint::ForgetPeers() {
  // A long message that is being sent stays in a list of the provider when its peer is removed, and is looked at while
  // the endpoint closes: a segmentation fault (libfabric 1.17 to 2.1: rxr_release_tx_entry, efa_rdm_txe_release). Who
  // is there takes it soon; peers may be in this thread as well.
  constexpr int64_t kPatience = 50'000'000;
  const int64_t end = Nanoseconds() + kPatience;
  while (queue && enabled && in_flight[static_cast<int>(Direction::kTransmit)] > 0 && Nanoseconds() < end) {
    queue->environment->completion_queues.ForEach([](CompletionQueue& each) {
      if (each.domain->fabric->is_efa) each.Collect();
    });
  }
  av->ForgetAll();
}

std::vector<std::shared_ptr<void>> Endpoint::CancelAll() {
  std::vector<std::shared_ptr<void>> buffers;
  if (!queue) return buffers;
  queue->operations.ForEachInFlight([&](Operation* operation) {
    if (operation->endpoint != this) return;
    buffers.push_back(operation->memory->Hold());
    if (operation->more) {
      for (auto& [memory, handle] : *operation->more) buffers.push_back(memory->Hold());
    }
    // ssize_t fi_cancel(fid_t fid, void *context)
    if (enabled && fid->ops->cancel) fi_cancel(&fid->fid, &operation->context);
  });
  return buffers;
}

namespace {

Endpoint* Find(const Napi::CallbackInfo& info) {
  return EnvironmentOf(info).endpoints.Get(info[0].As<Napi::Number>().Int32Value());
}

// int fi_endpoint(struct fid_domain *domain, struct fi_info *info, struct fid_ep **ep, void *context)
Napi::Value EndpointOpen(const Napi::CallbackInfo& info) {
  Environment& environment = EnvironmentOf(info);
  Domain* domain = environment.domains.Get(info[0].As<Napi::Number>().Int32Value());
  if (!domain) return Napi::Number::New(info.Env(), -FI_EBADF);
  InfoPointer native = InfoArgument(info[1], domain->info);
  ClearDefaultFlags(native.get());
  struct fid_ep* fid = nullptr;
  SignalGuard signals(SignalGuard::Restore::kHandlers, !domain->fabric->leaves_signals_alone);
  int result = fi_endpoint(domain->fid, native.get(), &fid, nullptr);
  if (result) return Napi::Number::New(info.Env(), result);
  auto endpoint = std::make_unique<Endpoint>(domain, fid, native.get());
  if (native->mode & FI_MSG_PREFIX) {
    if (endpoint->iov_limits[0] < 2 || endpoint->iov_limits[1] < 2)
      return Napi::Number::New(info.Env(), -FI_EOPNOTSUPP);
    endpoint->prefixes = std::make_unique<Prefixes>();
    size_t count = endpoint->limits[0] + endpoint->limits[1];
    result = endpoint->prefixes->Open(domain, native->ep_attr->msg_prefix_size, native->tx_attr->inject_size, count);
    if (result) return Napi::Number::New(info.Env(), result);
  }
  return Napi::Number::New(info.Env(), environment.endpoints.Add(std::move(endpoint)));
}

// int fi_ep_bind(struct fid_ep *ep, struct fid *bfid, uint64_t flags)
Napi::Value EndpointBindQueue(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  CompletionQueue* queue = EnvironmentOf(info).completion_queues.Get(info[1].As<Napi::Number>().Int32Value());
  if (!endpoint || !queue) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (endpoint->queue || queue->domain != endpoint->domain) return Napi::Number::New(info.Env(), -FI_EINVAL);
  int result = fi_ep_bind(endpoint->fid, &queue->fid->fid, Uint64Of(info[2]));
  if (!result) {
    endpoint->queue = queue;
    queue->children++;
    if (endpoint->caps & FI_SOURCE) queue->wants_source = true;
    queue->unready++;
  }
  return Napi::Number::New(info.Env(), result);
}

// int fi_ep_bind(struct fid_ep *ep, struct fid *bfid, uint64_t flags)
Napi::Value EndpointBindAddressVector(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  AddressVector* av = EnvironmentOf(info).address_vectors.Get(info[1].As<Napi::Number>().Int32Value());
  if (!endpoint || !av) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (endpoint->av || av->domain != endpoint->domain) return Napi::Number::New(info.Env(), -FI_EINVAL);
  int result = fi_ep_bind(endpoint->fid, &av->fid->fid, 0);
  if (!result) {
    endpoint->av = av;
    av->children++;
  }
  return Napi::Number::New(info.Env(), result);
}

// int fi_ep_bind(struct fid_ep *ep, struct fid *bfid, uint64_t flags)
Napi::Value EndpointBindEventQueue(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  EventQueue* events = EnvironmentOf(info).event_queues.Get(info[1].As<Napi::Number>().Int32Value());
  if (!endpoint || !endpoint->fid || !events) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (endpoint->events || events->fabric != endpoint->domain->fabric) return Napi::Number::New(info.Env(), -FI_EINVAL);
  int result = fi_ep_bind(endpoint->fid, &events->fid->fid, 0);
  if (!result) {
    endpoint->events = events;
    events->children++;
    events->sources[&endpoint->fid->fid] = info[0].As<Napi::Number>().Int32Value();
  }
  return Napi::Number::New(info.Env(), result);
}

// int fi_enable(struct fid_ep *ep)
Napi::Value EndpointEnable(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  if (!endpoint || !endpoint->fid) return Napi::Number::New(info.Env(), -FI_EBADF);
  bool is_connected = endpoint->type == FI_EP_MSG;
  bool is_bound = is_connected ? endpoint->queue && endpoint->events : endpoint->av != nullptr;
  if (!is_bound) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (endpoint->enabled) return Napi::Number::New(info.Env(), 0);
  SignalGuard signals(SignalGuard::Restore::kHandlers, !endpoint->domain->fabric->leaves_signals_alone);
  bool is_shared_memory = endpoint->domain->fabric->is_shared_memory;
  char name[256] = "";
  size_t length = sizeof(name) - 1;
  if (is_shared_memory && fi_getname(&endpoint->fid->fid, name, &length)) name[0] = 0;
  int result = fi_enable(endpoint->fid);
  if (result == -FI_EBUSY && is_shared_memory && shared_memory::RemoveStale(name)) result = fi_enable(endpoint->fid);
  // A scalable endpoint has no queue, and nothing is posted to it: that is what its contexts are for.
  endpoint->enabled = result == 0 && endpoint->queue;
  if (endpoint->enabled) endpoint->queue->unready--;
  if (endpoint->enabled && name[0]) {
    endpoint->name = name;
    shared_memory::EndpointOpened(endpoint->name);
  }
  return Napi::Number::New(info.Env(), result);
}

// int fi_getname(fid_t fid, void *addr, size_t *addrlen)
Napi::Value EndpointName(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  if (!endpoint || !endpoint->fid) return Napi::Number::New(info.Env(), -FI_EBADF);
  // Shared contexts have no address.
  if (!FI_CHECK_OP(endpoint->fid->cm, struct fi_ops_cm, getname)) return Napi::Number::New(info.Env(), -FI_ENOSYS);
  uint8_t name[1024];
  size_t length = sizeof(name);
  int result = fi_getname(&endpoint->fid->fid, name, &length);
  if (result) return Napi::Number::New(info.Env(), result);
  return Napi::Buffer<uint8_t>::Copy(info.Env(), name, length);
}

// int fi_close(struct fid *fid)
// The first half of closing: nothing can be posted any more, and the completions that the provider still has can be
// drained. The endpoint itself stays, since its operations point to it, until endpointFree.
Napi::Value EndpointClose(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  if (!endpoint) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (endpoint->children > 0) return Napi::Number::New(info.Env(), -FI_EBUSY);
  int result = endpoint->Close();
  if (!result) endpoint->enabled = false;
  return Napi::Number::New(info.Env(), result);
}

// endpointFree(endpoint): the second half. Operations still in flight complete with FI_ECANCELED.
Napi::Value EndpointFree(const Napi::CallbackInfo& info) {
  Environment& environment = EnvironmentOf(info);
  int32_t handle = info[0].As<Napi::Number>().Int32Value();
  Endpoint* endpoint = environment.endpoints.Get(handle);
  if (!endpoint) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (endpoint->fid || endpoint->children > 0) return Napi::Number::New(info.Env(), -FI_EBUSY);
  if (endpoint->queue) endpoint->queue->CancelOperationsOf(endpoint);
  environment.endpoints.Remove(handle);
  return Napi::Number::New(info.Env(), 0);
}

// ssize_t fi_cancel(fid_t fid, void *context)
Napi::Value EndpointCancel(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  if (!endpoint || !endpoint->enabled) return Napi::Number::New(info.Env(), -FI_EBADF);
  Operation* operation = endpoint->queue->operations.At(info[1].As<Napi::Number>().Uint32Value());
  if (!operation || operation->endpoint != endpoint->original()) return Napi::Number::New(info.Env(), -FI_ENOENT);
  if (!endpoint->fid->ops->cancel) return Napi::Number::New(info.Env(), -FI_ENOSYS);
  return Napi::Number::New(info.Env(), static_cast<double>(fi_cancel(&endpoint->fid->fid, &operation->context)));
}

}  // namespace

void ExportEndpoint(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "endpointOpen", EndpointOpen);
  Export(env, exports, environment, "endpointBindQueue", EndpointBindQueue);
  Export(env, exports, environment, "endpointBindAddressVector", EndpointBindAddressVector);
  Export(env, exports, environment, "endpointBindEventQueue", EndpointBindEventQueue);
  Export(env, exports, environment, "endpointEnable", EndpointEnable);
  Export(env, exports, environment, "endpointName", EndpointName);
  Export(env, exports, environment, "endpointClose", EndpointClose);
  Export(env, exports, environment, "endpointFree", EndpointFree);
  Export(env, exports, environment, "endpointCancel", EndpointCancel);
}

}  // namespace node_libfabric
