#include "passive_endpoint.h"

#include <cstring>

#include "bytes.h"
#include "close.h"
#include "environment.h"
#include "forgotten_requests.h"

namespace node_libfabric {

int PassiveEndpoint::Close() {
  if (!fid) return 0;
  while (!requests.empty()) (*requests.begin())->Reject(nullptr, 0);
  if (events) events->sources.erase(&fid->fid);
  bool is_forgetful = info->fabric_attr->prov_name && std::strcmp(info->fabric_attr->prov_name, "sockets") == 0;
  if (!is_forgetful) return CloseFid();
  ForgottenRequests forgotten(&fid->fid);
  long in_use = connections.use_count() - 1;
  forgotten.AwaitAnswers(in_use);
  int result = CloseFid();
  if (!result && in_use == 0) forgotten.End();
  return result;
}

int PassiveEndpoint::CloseFid() {
  std::vector<std::string> peers;
  environment->endpoints.ForEach([&](const Endpoint& endpoint) {
    bool is_accepted = endpoint.fid && !endpoint.peer.empty();
    if (is_accepted && endpoint.domain->fabric == fabric) peers.push_back(endpoint.peer);
  });
  int result = fabric->CloseListener(&fid->fid, peers);
  if (!result) fid = nullptr;
  return result;
}

namespace {

PassiveEndpoint* Find(const Napi::CallbackInfo& info) {
  return EnvironmentOf(info).passive_endpoints.Get(info[0].As<Napi::Number>().Int32Value());
}

// int fi_passive_ep(struct fid_fabric *fabric, struct fi_info *info, struct fid_pep **pep, void *context)
Napi::Value PassiveEndpointOpen(const Napi::CallbackInfo& info) {
  Environment& environment = EnvironmentOf(info);
  Fabric* fabric = environment.fabrics.Get(info[0].As<Napi::Number>().Int32Value());
  if (!fabric) return Napi::Number::New(info.Env(), -FI_EBADF);
  InfoPointer native = InfoFromObject(info[1].As<Napi::Object>());
  struct fid_pep* fid = nullptr;
  int result = fi_passive_ep(fabric->fid, native.get(), &fid, nullptr);
  if (result) return Napi::Number::New(info.Env(), result);
  auto passive_endpoint = std::make_unique<PassiveEndpoint>(&environment, fabric, fid, std::move(native));
  return Napi::Number::New(info.Env(), environment.passive_endpoints.Add(std::move(passive_endpoint)));
}

// int fi_pep_bind(struct fid_pep *pep, struct fid *bfid, uint64_t flags)
Napi::Value PassiveEndpointBind(const Napi::CallbackInfo& info) {
  PassiveEndpoint* passive_endpoint = Find(info);
  EventQueue* events = EnvironmentOf(info).event_queues.Get(info[1].As<Napi::Number>().Int32Value());
  if (!passive_endpoint || !events) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (passive_endpoint->events || events->fabric != passive_endpoint->fabric) {
    return Napi::Number::New(info.Env(), -FI_EINVAL);
  }
  int result = fi_pep_bind(passive_endpoint->fid, &events->fid->fid, 0);
  if (!result) {
    passive_endpoint->events = events;
    events->children++;
    events->sources[&passive_endpoint->fid->fid] = info[0].As<Napi::Number>().Int32Value();
  }
  return Napi::Number::New(info.Env(), result);
}

// int fi_control(struct fid *fid, int command, void *arg)
Napi::Value PassiveEndpointBacklog(const Napi::CallbackInfo& info) {
  PassiveEndpoint* passive_endpoint = Find(info);
  if (!passive_endpoint) return Napi::Number::New(info.Env(), -FI_EBADF);
  int backlog = info[1].As<Napi::Number>().Int32Value();
  return Napi::Number::New(info.Env(), fi_control(&passive_endpoint->fid->fid, FI_BACKLOG, &backlog));
}

// int fi_listen(struct fid_pep *pep)
Napi::Value PassiveEndpointListen(const Napi::CallbackInfo& info) {
  PassiveEndpoint* passive_endpoint = Find(info);
  // Providers take it for granted that there is an event queue.
  if (!passive_endpoint || !passive_endpoint->events) return Napi::Number::New(info.Env(), -FI_EBADF);
  return Napi::Number::New(info.Env(), fi_listen(passive_endpoint->fid));
}

// int fi_getname(fid_t fid, void *addr, size_t *addrlen)
Napi::Value PassiveEndpointName(const Napi::CallbackInfo& info) {
  PassiveEndpoint* passive_endpoint = Find(info);
  if (!passive_endpoint) return Napi::Number::New(info.Env(), -FI_EBADF);
  return AddressResult(info.Env(), [passive_endpoint](void* address, size_t* length) {
    return fi_getname(&passive_endpoint->fid->fid, address, length);
  });
}

// int fi_setname(fid_t fid, void *addr, size_t addrlen)
Napi::Value PassiveEndpointSetName(const Napi::CallbackInfo& info) {
  PassiveEndpoint* passive_endpoint = Find(info);
  if (!passive_endpoint) return Napi::Number::New(info.Env(), -FI_EBADF);
  AddressArgument address(info[1]);
  return Napi::Number::New(info.Env(), fi_setname(&passive_endpoint->fid->fid, address.bytes, address.length));
}

// int fi_getopt(fid_t fid, int level, int optname, void *optval, size_t *optlen)
Napi::Value PassiveEndpointDataSize(const Napi::CallbackInfo& info) {
  PassiveEndpoint* passive_endpoint = Find(info);
  if (!passive_endpoint) return Napi::Number::New(info.Env(), -FI_EBADF);
  return Napi::Number::New(info.Env(), ConnectionDataSize(&passive_endpoint->fid->fid));
}

// int fi_close(struct fid *fid)
Napi::Value PassiveEndpointClose(const Napi::CallbackInfo& info) {
  return CloseHandle(info, EnvironmentOf(info).passive_endpoints,
                     [](PassiveEndpoint& object) { return object.Close(); });
}

// int fi_reject(struct fid_pep *pep, fid_t handle, const void *param, size_t paramlen)
Napi::Value ConnectionRequestReject(const Napi::CallbackInfo& info) {
  Environment& environment = EnvironmentOf(info);
  int32_t handle = info[0].As<Napi::Number>().Int32Value();
  ConnectionRequest* request = environment.connection_requests.Get(handle);
  if (!request) return Napi::Number::New(info.Env(), -FI_EBADF);
  // One whose listener has gone was rejected with it.
  int result = 0;
  if (request->IsOpen()) {
    ConnectionData data(info[1], request->listener());
    if (!data.fits) return Napi::Number::New(info.Env(), -FI_EMSGSIZE);
    result = request->Reject(data.bytes, data.length);
  }
  environment.connection_requests.Remove(handle);
  return Napi::Number::New(info.Env(), result);
}

}  // namespace

void ExportPassiveEndpoint(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "passiveEndpointOpen", PassiveEndpointOpen);
  Export(env, exports, environment, "passiveEndpointBind", PassiveEndpointBind);
  Export(env, exports, environment, "passiveEndpointBacklog", PassiveEndpointBacklog);
  Export(env, exports, environment, "passiveEndpointListen", PassiveEndpointListen);
  Export(env, exports, environment, "passiveEndpointName", PassiveEndpointName);
  Export(env, exports, environment, "passiveEndpointSetName", PassiveEndpointSetName);
  Export(env, exports, environment, "passiveEndpointDataSize", PassiveEndpointDataSize);
  Export(env, exports, environment, "passiveEndpointClose", PassiveEndpointClose);
  Export(env, exports, environment, "connectionRequestReject", ConnectionRequestReject);
}

}  // namespace node_libfabric
