#include "fabric.h"

#include <cstring>

#include "close.h"
#include "environment.h"
#include "info.h"

namespace node_libfabric {
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
  const char* provider = native->fabric_attr->prov_name;
  bool is_shared_memory = provider && std::strcmp(provider, "shm") == 0;
  return Napi::Number::New(info.Env(),
                           EnvironmentOf(info).fabrics.Add(std::make_unique<Fabric>(fid, is_shared_memory)));
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
