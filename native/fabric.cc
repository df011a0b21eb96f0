#include "fabric.h"

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
  return Napi::Number::New(info.Env(), EnvironmentOf(info).fabrics.Add(std::make_unique<Fabric>(fid)));
}

// int fi_close(struct fid *fid)
Napi::Value FabricClose(const Napi::CallbackInfo& info) {
  return CloseHandle(info, EnvironmentOf(info).fabrics, [](Fabric&) {});
}

}  // namespace

void ExportFabric(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "fabricOpen", FabricOpen);
  Export(env, exports, environment, "fabricClose", FabricClose);
}

}  // namespace node_libfabric
