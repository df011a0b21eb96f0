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
  Environment& environment = EnvironmentOf(info);
  auto memory = std::make_unique<Memory>(static_cast<uint8_t*>(data), length, get_backing_store(buffer),
                                         environment.mappings.Find(data));
  return Napi::Number::New(env, environment.memories.Add(std::move(memory)));
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

}  // namespace

Memory::~Memory() {
  for (const Region& region : regions_) {
    if (region.is_own) Close(region);
  }
}

void Memory::Close(const Region& region) {
  fi_close(&region.fid->fid);
  region.domain->registrations.members.erase(this);
  region.domain->registrations.bytes -= region.length;
}

uint64_t Memory::LastUse(const Domain* domain) const {
  for (const Region& region : regions_) {
    if (region.is_own && region.domain == domain) return region.last_use;
  }
  return 0;
}

// Makes room for one more registration where there is a limit. Memories in use stay: then the limit is exceeded.
void Memory::EvictIdle(Domain* domain) {
  Registrations& registrations = domain->registrations;
  if (registrations.limit == 0 || registrations.members.size() < registrations.limit) return;
  Memory* oldest = nullptr;
  for (Memory* memory : registrations.members) {
    if (memory->in_flight > 0) continue;
    if (!oldest || memory->LastUse(domain) < oldest->LastUse(domain)) oldest = memory;
  }
  if (!oldest) return;
  oldest->Deregister(domain);
  registrations.evictions++;
}

int Memory::Register(Domain* domain, const uint8_t* start, size_t length, void** descriptor) {
  Registrations& registrations = domain->registrations;
  for (Region& region : regions_) {
    if (region.domain != domain || start < region.start || start + length > region.start + region.length) continue;
    registrations.hits++;
    region.last_use = ++registrations.clock;
    *descriptor = fi_mr_desc(region.fid);
    return 0;
  }
  if (length_ == 0) {
    static uint8_t byte;
    int result = domain->nothing ? 0 : RegisterLocal(domain, &byte, 1, &domain->nothing);
    if (!result) *descriptor = fi_mr_desc(domain->nothing);
    return result;
  }
  EvictIdle(domain);
  struct fid_mr* region = nullptr;
  int result = RegisterLocal(domain, base_, length_, &region);
  if (result) return result;
  registrations.misses++;
  registrations.bytes += length_;
  registrations.members.insert(this);
  regions_.push_back({domain, region, base_, length_, true, ++registrations.clock});
  *descriptor = fi_mr_desc(region);
  return 0;
}

void Memory::Deregister(Domain* domain) {
  auto found = std::find_if(regions_.begin(), regions_.end(),
                            [domain](Region& region) { return region.is_own && region.domain == domain; });
  if (found == regions_.end()) return;
  Close(*found);
  regions_.erase(found);
}

void Memory::RemoveRegion(struct fid_mr* region) {
  auto found = std::find_if(regions_.begin(), regions_.end(), [region](Region& entry) { return entry.fid == region; });
  if (found != regions_.end()) regions_.erase(found);
}

int RegisterLocal(Domain* domain, void* start, size_t length, struct fid_mr** region) {
  struct iovec range = {start, length};
  Padded<struct fi_mr_attr> attr;
  attr->mr_iov = &range;
  attr->iov_count = 1;
  attr->access = FI_SEND | FI_RECV;
  if (domain->caps & (FI_RMA | FI_ATOMIC)) attr->access |= FI_READ | FI_WRITE;
  attr->iface = FI_HMEM_SYSTEM;
  return RegisterWithFreeKey(domain, attr.get(), 0, region);
}

int RegisterWithFreeKey(Domain* domain, struct fi_mr_attr* attr, uint64_t flags, struct fid_mr** region) {
  constexpr int kAttempts = 1 << 16;
  int result = -FI_ENOKEY;
  // A key that is taken is one that the application has asked for itself.
  for (int i = 0; i < kAttempts && result == -FI_ENOKEY; i++) {
    attr->requested_key = domain->next_key++;
    // int fi_mr_regattr(struct fid_domain *domain, const struct fi_mr_attr *attr, uint64_t flags, struct fid_mr **mr)
    result = fi_mr_regattr(domain->fid, attr, flags, region);
  }
  return result;
}

void ExportMemory(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "memoryOpen", MemoryOpen);
  Export(env, exports, environment, "memoryRelease", MemoryRelease);
}

}  // namespace node_libfabric
