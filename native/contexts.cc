// Shared transmit and receive contexts, scalable endpoints and their contexts, aliases: fi_endpoint(3).
#include <rdma/fi_domain.h>

#include "close.h"
#include "info.h"
#include "post.h"
#include "trigger.h"

namespace node_libfabric {
namespace {

Domain* FindDomain(const Napi::CallbackInfo& info) {
  return EnvironmentOf(info).domains.Get(info[0].As<Napi::Number>().Int32Value());
}

Endpoint* FindEndpoint(const Napi::CallbackInfo& info, size_t argument) {
  return EnvironmentOf(info).endpoints.Get(info[argument].As<Napi::Number>().Int32Value());
}

// int fi_stx_context(struct fid_domain *domain, struct fi_tx_attr *attr, struct fid_stx **stx, void *context)
Napi::Value SharedTransmitOpen(const Napi::CallbackInfo& info) {
  Domain* domain = FindDomain(info);
  if (!domain) return Napi::Number::New(info.Env(), -FI_EBADF);
  InfoPointer native = InfoFromObject(info[1].As<Napi::Object>());
  ClearDefaultFlags(native.get());
  struct fid_stx* fid = nullptr;
  int result = fi_stx_context(domain->fid, native->tx_attr, &fid, nullptr);
  if (result) return Napi::Number::New(info.Env(), result);
  auto context = std::make_unique<SharedTransmit>(domain, fid);
  return Napi::Number::New(info.Env(), EnvironmentOf(info).shared_transmits.Add(std::move(context)));
}

// int fi_close(struct fid *fid)
Napi::Value SharedTransmitClose(const Napi::CallbackInfo& info) {
  return CloseHandle(info, EnvironmentOf(info).shared_transmits,
                     [](SharedTransmit& context) { return context.domain->Close(&context.fid->fid); });
}

// int fi_ep_bind(struct fid_ep *ep, struct fid *bfid, uint64_t flags)
Napi::Value EndpointBindSharedTransmit(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = FindEndpoint(info, 0);
  int32_t handle = info[1].As<Napi::Number>().Int32Value();
  SharedTransmit* context = EnvironmentOf(info).shared_transmits.Get(handle);
  if (!endpoint || !context) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (endpoint->shared_transmit || context->domain != endpoint->domain) {
    return Napi::Number::New(info.Env(), -FI_EINVAL);
  }
  int result = fi_ep_bind(endpoint->fid, &context->fid->fid, 0);
  if (!result) {
    endpoint->shared_transmit = context;
    context->children++;
  }
  return Napi::Number::New(info.Env(), result);
}

// int fi_srx_context(struct fid_domain *domain, struct fi_rx_attr *attr, struct fid_ep **rx_ep, void *context)
// Its receives complete on the queue of whichever endpoint the message came to. Here that has to be one and the same
// for all of them, since a queue keeps the operations that it will complete.
Napi::Value SharedReceiveOpen(const Napi::CallbackInfo& info) {
  Domain* domain = FindDomain(info);
  CompletionQueue* queue = EnvironmentOf(info).completion_queues.Get(info[2].As<Napi::Number>().Int32Value());
  if (!domain || !queue) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (queue->domain != domain) return Napi::Number::New(info.Env(), -FI_EINVAL);
  InfoPointer native = InfoFromObject(info[1].As<Napi::Object>());
  ClearDefaultFlags(native.get());
  struct fid_ep* fid = nullptr;
  int result = fi_srx_context(domain->fid, native->rx_attr, &fid, nullptr);
  if (result) return Napi::Number::New(info.Env(), result);
  auto context = std::make_unique<Endpoint>(domain, fid, native.get());
  context->queue = queue;
  queue->children++;
  context->enabled = true;
  return Napi::Number::New(info.Env(), EnvironmentOf(info).endpoints.Add(std::move(context)));
}

// int fi_ep_bind(struct fid_ep *ep, struct fid *bfid, uint64_t flags)
Napi::Value EndpointBindSharedReceive(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = FindEndpoint(info, 0);
  Endpoint* context = FindEndpoint(info, 1);
  if (!endpoint || !context) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (endpoint->owner || endpoint == context || context->domain != endpoint->domain) {
    return Napi::Number::New(info.Env(), -FI_EINVAL);
  }
  int result = fi_ep_bind(endpoint->fid, &context->fid->fid, 0);
  if (!result) {
    endpoint->owner = context;
    context->children++;
  }
  return Napi::Number::New(info.Env(), result);
}

// int fi_scalable_ep(struct fid_domain *domain, struct fi_info *info, struct fid_ep **sep, void *context)
Napi::Value ScalableEndpointOpen(const Napi::CallbackInfo& info) {
  Domain* domain = FindDomain(info);
  if (!domain) return Napi::Number::New(info.Env(), -FI_EBADF);
  InfoPointer native = InfoFromObject(info[1].As<Napi::Object>());
  ClearDefaultFlags(native.get());
  struct fid_ep* fid = nullptr;
  int result = fi_scalable_ep(domain->fid, native.get(), &fid, nullptr);
  if (result) return Napi::Number::New(info.Env(), result);
  auto endpoint = std::make_unique<Endpoint>(domain, fid, native.get());
  return Napi::Number::New(info.Env(), EnvironmentOf(info).endpoints.Add(std::move(endpoint)));
}

// int fi_scalable_ep_bind(struct fid_ep *sep, struct fid *bfid, uint64_t flags)
Napi::Value ScalableEndpointBind(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = FindEndpoint(info, 0);
  AddressVector* av = EnvironmentOf(info).address_vectors.Get(info[1].As<Napi::Number>().Int32Value());
  if (!endpoint || !av) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (endpoint->av || av->domain != endpoint->domain) return Napi::Number::New(info.Env(), -FI_EINVAL);
  int result = fi_scalable_ep_bind(endpoint->fid, &av->fid->fid, 0);
  if (!result) {
    endpoint->av = av;
    av->children++;
  }
  return Napi::Number::New(info.Env(), result);
}

// Hands a context of `owner` to JavaScript.
Napi::Value AddContext(const Napi::CallbackInfo& info, Endpoint* owner, struct fid_ep* fid) {
  auto context = std::make_unique<Endpoint>(owner, fid);
  return Napi::Number::New(info.Env(), EnvironmentOf(info).endpoints.Add(std::move(context)));
}

// int fi_tx_context(struct fid_ep *ep, int idx, struct fi_tx_attr *attr, struct fid_ep **tx_ep, void *context)
Napi::Value TransmitContextOpen(const Napi::CallbackInfo& info) {
  Endpoint* owner = FindEndpoint(info, 0);
  if (!owner || !owner->fid) return Napi::Number::New(info.Env(), -FI_EBADF);
  struct fid_ep* fid = nullptr;
  if (!owner->fid->ops->tx_ctx) return Napi::Number::New(info.Env(), -FI_ENOSYS);
  int result = fi_tx_context(owner->fid, info[1].As<Napi::Number>().Int32Value(), nullptr, &fid, nullptr);
  return result ? Napi::Number::New(info.Env(), result) : AddContext(info, owner, fid);
}

// int fi_rx_context(struct fid_ep *ep, int idx, struct fi_rx_attr *attr, struct fid_ep **rx_ep, void *context)
Napi::Value ReceiveContextOpen(const Napi::CallbackInfo& info) {
  Endpoint* owner = FindEndpoint(info, 0);
  if (!owner || !owner->fid) return Napi::Number::New(info.Env(), -FI_EBADF);
  struct fid_ep* fid = nullptr;
  if (!owner->fid->ops->rx_ctx) return Napi::Number::New(info.Env(), -FI_ENOSYS);
  int result = fi_rx_context(owner->fid, info[1].As<Napi::Number>().Int32Value(), nullptr, &fid, nullptr);
  return result ? Napi::Number::New(info.Env(), result) : AddContext(info, owner, fid);
}

// endpointAlias(endpoint, flags: bigint): number
// `flags` has FI_TRANSMIT or FI_RECV for whose defaults they are.
//
// int fi_ep_alias(struct fid_ep *ep, struct fid_ep **alias_ep, uint64_t flags)
Napi::Value EndpointAlias(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = FindEndpoint(info, 0);
  uint64_t flags = Uint64Of(info[1]);
  if (!endpoint || !endpoint->enabled) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (endpoint->alias_of || (flags & kNeverByDefault)) return Napi::Number::New(info.Env(), -FI_EINVAL);
  struct fid_ep* fid = nullptr;
  int result = fi_ep_alias(endpoint->fid, &fid, flags);
  if (result) return Napi::Number::New(info.Env(), result);
  auto alias = std::make_unique<Endpoint>(endpoint, fid);
  alias->alias_of = endpoint;
  alias->queue = endpoint->queue;
  alias->queue->children++;
  alias->enabled = true;
  return Napi::Number::New(info.Env(), EnvironmentOf(info).endpoints.Add(std::move(alias)));
}

// fi_addr_t fi_rx_addr(fi_addr_t fi_addr, int rx_index, int rx_ctx_bits)
Napi::Value AddressVectorReceiveContext(const Napi::CallbackInfo& info) {
  AddressVector* av = EnvironmentOf(info).address_vectors.Get(info[0].As<Napi::Number>().Int32Value());
  fi_addr_t address;
  if (!av) return Napi::Number::New(info.Env(), -FI_EBADF);
  int bits = info[3].As<Napi::Number>().Int32Value();
  int index = info[2].As<Napi::Number>().Int32Value();
  bool fits = bits > 0 && bits < 32 && index >= 0 && index < (1 << bits);
  if (!fits || !av->Find(info[1].As<Napi::Number>().Int32Value(), &address)) {
    return Napi::Number::New(info.Env(), -FI_EINVAL);
  }
  return Napi::Number::New(info.Env(), av->Add(fi_rx_addr(address, index, bits)));
}

}  // namespace

void ExportContexts(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "sharedTransmitOpen", SharedTransmitOpen);
  Export(env, exports, environment, "sharedTransmitClose", SharedTransmitClose);
  Export(env, exports, environment, "endpointBindSharedTransmit", EndpointBindSharedTransmit);
  Export(env, exports, environment, "sharedReceiveOpen", SharedReceiveOpen);
  Export(env, exports, environment, "endpointBindSharedReceive", EndpointBindSharedReceive);
  Export(env, exports, environment, "scalableEndpointOpen", ScalableEndpointOpen);
  Export(env, exports, environment, "scalableEndpointBind", ScalableEndpointBind);
  Export(env, exports, environment, "transmitContextOpen", TransmitContextOpen);
  Export(env, exports, environment, "receiveContextOpen", ReceiveContextOpen);
  Export(env, exports, environment, "endpointAlias", EndpointAlias);
  Export(env, exports, environment, "addressVectorReceiveContext", AddressVectorReceiveContext);
}

}  // namespace node_libfabric
