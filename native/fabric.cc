#include "fabric.h"

#include <rdma/fi_cm.h>

#include "close.h"
#include "environment.h"

namespace node_libfabric {

int Fabric::CloseListener(struct fid* listener, const std::vector<std::string>& peers) {
  uint8_t name[1024];
  size_t length = sizeof(name);
  // int fi_getname(fid_t fid, void *addr, size_t *addrlen)
  if (!forgets_accepted_sockets || fi_getname(listener, name, &length)) return Close(listener);
  AcceptedSockets accepted(name, length);
  int result = Close(listener);
  if (!result) accepted.Abandon(peers, &abandoned);
  return result;
}

namespace {

// int fi_fabric(struct fi_fabric_attr *attr, struct fid_fabric **fabric, void *context)
Napi::Value FabricOpen(const Napi::CallbackInfo& info) {
  InfoPointer native = InfoFromObject(info[0].As<Napi::Object>());
  struct fid_fabric* fid = nullptr;
  int result;
  {
    std::lock_guard<std::mutex> guard(DiscoveryLock());
    result = fi_fabric(native->fabric_attr, &fid, nullptr);
  }
  if (result) return Napi::Number::New(info.Env(), result);
  auto fabric = std::make_unique<Fabric>(fid, std::move(native));
  return Napi::Number::New(info.Env(), EnvironmentOf(info).fabrics.Add(std::move(fabric)));
}

// int fi_close(struct fid *fid)
Napi::Value FabricClose(const Napi::CallbackInfo& info) {
  return CloseHandle(info, EnvironmentOf(info).fabrics, [](Fabric& fabric) { return fabric.Close(&fabric.fid->fid); });
}

}  // namespace

void ExportFabric(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "fabricOpen", FabricOpen);
  Export(env, exports, environment, "fabricClose", FabricClose);
}

}  // namespace node_libfabric
