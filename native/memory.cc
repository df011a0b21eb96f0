#include "memory.h"

#include <dlfcn.h>

#include <algorithm>

#include "environment.h"
#include "padded.h"

namespace node_libfabric {
namespace {

// std::shared_ptr<BackingStore> v8::[Shared]ArrayBuffer::GetBackingStore()
//
// Node-API can keep an ArrayBuffer object alive, but not its bytes: ArrayBuffer.prototype.transfer, structuredClone and
// postMessage move them to an owner that this addon cannot see, which may free them under a running operation. V8's
// shared pointer is the only thing that prevents it. The member function is looked up at run time, and called as the
// free function with the same calling convention that it is, so that the addon stays independent of V8's headers.
// A napi_value is the address of a V8 handle slot, which is what V8 takes for `this`.
using GetBackingStore = std::shared_ptr<v8::BackingStore> (*)(napi_value);

GetBackingStore FindGetBackingStore(bool shared) {
  const char* name = shared ? "_ZN2v817SharedArrayBuffer15GetBackingStoreEv" : "_ZN2v811ArrayBuffer15GetBackingStoreEv";
  return reinterpret_cast<GetBackingStore>(dlsym(RTLD_DEFAULT, name));
}

// memoryOpen(view: Uint8Array): number
// `view` covers the whole buffer. -FI_ENOSYS on a JavaScript runtime that is not V8.
Napi::Value MemoryOpen(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  static GetBackingStore of_array_buffer = FindGetBackingStore(false);
  static GetBackingStore of_shared_array_buffer = FindGetBackingStore(true);
  size_t length = 0;
  void* data = nullptr;
  napi_value buffer;
  if (napi_get_typedarray_info(env, info[0], nullptr, &length, &data, &buffer, nullptr) != napi_ok) {
    return Napi::Number::New(env, -FI_EINVAL);
  }
  // What a view lies on is one or the other; mistaking them would not end well.
  bool is_array_buffer = false;
  napi_is_arraybuffer(env, buffer, &is_array_buffer);
  GetBackingStore get_backing_store = is_array_buffer ? of_array_buffer : of_shared_array_buffer;
  if (!get_backing_store) return Napi::Number::New(env, -FI_ENOSYS);
  auto memory = std::make_unique<Memory>(static_cast<uint8_t*>(data), length, get_backing_store(buffer));
  return Napi::Number::New(env, EnvironmentOf(info).memories.Add(std::move(memory)));
}

// memoryRelease(memory: number): void
// JavaScript's buffer is gone. Operations that still use the bytes keep them; the last one to complete frees them.
void MemoryRelease(const Napi::CallbackInfo& info) {
  Environment& environment = EnvironmentOf(info);
  int32_t handle = info[0].As<Napi::Number>().Int32Value();
  Memory* memory = environment.memories.Get(handle);
  if (!memory) return;
  memory->released = true;
  if (memory->in_flight == 0) environment.memories.Remove(handle);
}

Napi::Value MemoryCount(const Napi::CallbackInfo& info) {
  int count = 0;
  EnvironmentOf(info).memories.ForEach([&count](Memory&) { count++; });
  return Napi::Number::New(info.Env(), count);
}

}  // namespace

Memory::~Memory() {
  for (auto& [domain, region] : regions_) fi_close(&region->fid);
}

int Memory::Register(Domain* domain, void** descriptor) {
  for (auto& [owner, region] : regions_) {
    if (owner == domain) {
      *descriptor = fi_mr_desc(region);
      return 0;
    }
  }
  if (length_ == 0) return 0;
  struct iovec range {
    base_, length_
  };
  Padded<struct fi_mr_attr> attr;
  attr->mr_iov = &range;
  attr->iov_count = 1;
  attr->access = FI_SEND | FI_RECV;
  attr->requested_key = domain->next_key++;
  attr->iface = FI_HMEM_SYSTEM;
  struct fid_mr* region = nullptr;
  int result = fi_mr_regattr(domain->fid, attr.get(), 0, &region);
  if (result) return result;
  regions_.emplace_back(domain, region);
  *descriptor = fi_mr_desc(region);
  return 0;
}

void Memory::Deregister(Domain* domain) {
  auto found = std::find_if(regions_.begin(), regions_.end(), [domain](auto& entry) { return entry.first == domain; });
  if (found == regions_.end()) return;
  fi_close(&found->second->fid);
  regions_.erase(found);
}

void ExportMemory(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "memoryOpen", MemoryOpen);
  Export(env, exports, environment, "memoryRelease", MemoryRelease);
  Export(env, exports, environment, "memoryCount", MemoryCount);
}

}  // namespace node_libfabric
