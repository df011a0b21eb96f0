// fi_close on a handle, the same for every object.
#pragma once

#include <napi.h>
#include <rdma/fabric.h>

namespace node_libfabric {

constexpr int kKeptByProvider = 1;

// Closes info[0] in `table`. Refuses with -FI_EBUSY while something that needs the object is open: TypeScript closes
// children first, and this keeps the parents' pointers valid whatever it does. `close(object)` closes its fid.
template <typename Table, typename CloseFid>
Napi::Value CloseHandle(const Napi::CallbackInfo& info, Table& table, CloseFid close) {
  int32_t handle = info[0].As<Napi::Number>().Int32Value();
  auto* object = table.Get(handle);
  if (!object) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (object->children > 0) return Napi::Number::New(info.Env(), -FI_EBUSY);
  int result = close(*object);
  // Nothing of ours is open in it, so the provider holds on to it: tcp;ofi_rxm does after a rendezvous with a peer that
  // has died. It will never let go; the object is given up, and TypeScript warns.
  bool is_kept = result == -FI_EBUSY;
  if (result && !is_kept) return Napi::Number::New(info.Env(), result);
  object->fid = nullptr;
  table.Remove(handle);
  return Napi::Number::New(info.Env(), is_kept ? kKeptByProvider : 0);
}

}  // namespace node_libfabric
