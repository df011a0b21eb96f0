// fi_cm(3) of active endpoints.
#include <rdma/fi_cm.h>

#include "bytes.h"
#include "environment.h"

namespace node_libfabric {
namespace {

// An endpoint that can be connected, or nullptr.
Endpoint* Find(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = EnvironmentOf(info).endpoints.Get(info[0].As<Napi::Number>().Int32Value());
  return endpoint && endpoint->enabled && endpoint->type == FI_EP_MSG ? endpoint : nullptr;
}

// int fi_endpoint(struct fid_domain *domain, struct fi_info *info, struct fid_ep **ep, void *context)
// For a connection request, whose information stays on this side: it has the provider's handle in it.
Napi::Value EndpointOpenRequested(const Napi::CallbackInfo& info) {
  Environment& environment = EnvironmentOf(info);
  Domain* domain = environment.domains.Get(info[0].As<Napi::Number>().Int32Value());
  int32_t handle = info[1].As<Napi::Number>().Int32Value();
  ConnectionRequest* request = environment.connection_requests.Get(handle);
  if (!domain || !request) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (request->fabric() != domain->fabric) return Napi::Number::New(info.Env(), -FI_EINVAL);
  struct fid_ep* fid = nullptr;
  int result = fi_endpoint(domain->fid, request->info(), &fid, nullptr);
  if (result) return Napi::Number::New(info.Env(), result);
  auto endpoint = std::make_unique<Endpoint>(domain, fid, request->info());
  endpoint->requested = true;
  endpoint->peer.assign(static_cast<const char*>(request->info()->dest_addr), request->info()->dest_addrlen);
  endpoint->listener = request->connections();
  request->Answered();
  environment.connection_requests.Remove(handle);
  return Napi::Number::New(info.Env(), environment.endpoints.Add(std::move(endpoint)));
}

// int fi_connect(struct fid_ep *ep, const void *addr, const void *param, size_t paramlen)
Napi::Value EndpointConnect(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  if (!endpoint) return Napi::Number::New(info.Env(), -FI_EBADF);
  AddressArgument address(info[1]);
  ConnectionData data(info[2], &endpoint->fid->fid);
  if (!data.fits) return Napi::Number::New(info.Env(), -FI_EMSGSIZE);
  return Napi::Number::New(info.Env(), fi_connect(endpoint->fid, address.bytes, data.bytes, data.length));
}

// int fi_accept(struct fid_ep *ep, const void *param, size_t paramlen)
Napi::Value EndpointAccept(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  if (!endpoint) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (!endpoint->requested) return Napi::Number::New(info.Env(), -FI_EINVAL);
  ConnectionData data(info[1], &endpoint->fid->fid);
  if (!data.fits) return Napi::Number::New(info.Env(), -FI_EMSGSIZE);
  endpoint->requested = false;
  return Napi::Number::New(info.Env(), fi_accept(endpoint->fid, data.bytes, data.length));
}

// int fi_shutdown(struct fid_ep *ep, uint64_t flags)
Napi::Value EndpointShutdown(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  return Napi::Number::New(info.Env(), endpoint ? fi_shutdown(endpoint->fid, 0) : -FI_EBADF);
}

// int fi_getpeer(struct fid_ep *ep, void *addr, size_t *addrlen)
Napi::Value EndpointPeer(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  if (!endpoint) return Napi::Number::New(info.Env(), -FI_EBADF);
  return AddressResult(
      info.Env(), [endpoint](void* address, size_t* length) { return fi_getpeer(endpoint->fid, address, length); });
}

// int fi_getopt(fid_t fid, int level, int optname, void *optval, size_t *optlen)
Napi::Value EndpointDataSize(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  return Napi::Number::New(info.Env(), endpoint ? ConnectionDataSize(&endpoint->fid->fid) : -FI_EBADF);
}

}  // namespace

void ExportConnection(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "endpointOpenRequested", EndpointOpenRequested);
  Export(env, exports, environment, "endpointConnect", EndpointConnect);
  Export(env, exports, environment, "endpointAccept", EndpointAccept);
  Export(env, exports, environment, "endpointShutdown", EndpointShutdown);
  Export(env, exports, environment, "endpointPeer", EndpointPeer);
  Export(env, exports, environment, "endpointDataSize", EndpointDataSize);
}

}  // namespace node_libfabric
