// fi_close on a handle, the same for every object.
#pragma once

#include <napi.h>
#include <rdma/fabric.h>

namespace node_libfabric {

// Closes info[0] in `table`. Refuses with -FI_EBUSY while something that needs the object is open: TypeScript closes
// children first, and this keeps the parents' pointers valid whatever it does. `on_closed` runs before the object goes.
template <typename Table, typename OnClosed>
Napi::Value CloseHandle(const Napi::CallbackInfo& info, Table& table, OnClosed on_closed) {
  int32_t handle = info[0].As<Napi::Number>().Int32Value();
  auto* object = table.Get(handle);
  if (!object) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (object->children > 0) return Napi::Number::New(info.Env(), -FI_EBUSY);
  int result = fi_close(&object->fid->fid);
  if (result) return Napi::Number::New(info.Env(), result);
  object->fid = nullptr;
  on_closed(*object);
  table.Remove(handle);
  return Napi::Number::New(info.Env(), 0);
}

}  // namespace node_libfabric
