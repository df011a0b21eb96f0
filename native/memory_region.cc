#include "memory_region.h"

#include "dmabuf.h"
#include "environment.h"
#include "padded.h"
#include "post.h"

namespace node_libfabric {

constexpr uint64_t kLocalAccess = FI_SEND | FI_RECV | FI_READ | FI_WRITE;

MemoryRegion::MemoryRegion(Environment* owner, Domain* parent, struct fid_mr* mr, std::vector<Part> buffers,
                           uint64_t access)
    : environment(owner),
      domain(parent),
      fid(mr),
      parts(std::move(buffers)),
      is_exposed(access & (FI_REMOTE_READ | FI_REMOTE_WRITE)) {
  bool is_local = (access & kLocalAccess) == kLocalAccess;
  domain->children++;
  for (const Part& part : parts) {
    if (!part.memory) continue;
    part.memory->in_flight++;
    // Only a region of one buffer and of every local access can lend its descriptor to whatever operation comes.
    if (is_local && parts.size() == 1) part.memory->AddRegion(domain, fid, part.start, part.length);
  }
}

MemoryRegion::~MemoryRegion() {
  Close();
  for (const Part& part : parts) {
    if (part.memory && --part.memory->in_flight == 0 && part.memory->released)
      environment->memories.Remove(part.handle);
  }
  domain->children--;
}

int MemoryRegion::Close() {
  if (!fid) return 0;
  int result = domain->Close(&fid->fid);
  if (result) return result;
  for (const Part& part : parts) {
    if (part.memory) part.memory->RemoveRegion(fid);
  }
  fid = nullptr;
  for (Counter* counter : counters) counter->children--;
  counters.clear();
  if (endpoint) endpoint->children--;
  endpoint = nullptr;
  return 0;
}

int MemoryRegion::InFlight() const {
  int count = 0;
  auto is_in = [this](const Operation& operation) {
    for (const Part& part : parts) {
      if (!part.memory) continue;
      if (operation.memory == part.memory) {
        bool is_apart = operation.start && (operation.start >= part.start + part.length ||
                                            operation.start + operation.length <= part.start);
        if (!is_apart) return true;
      }
      if (!operation.more) continue;
      for (auto& [memory, handle] : *operation.more) {
        if (memory == part.memory) return true;
      }
    }
    return false;
  };
  environment->completion_queues.ForEach([&](CompletionQueue& queue) {
    if (queue.domain != domain) return;
    queue.operations.ForEachInFlight([&](Operation* operation) { count += is_in(*operation) ? 1 : 0; });
  });
  return count;
}

namespace {

MemoryRegion* Find(const Napi::CallbackInfo& info) {
  return EnvironmentOf(info).memory_regions.Get(info[0].As<Napi::Number>().Int32Value());
}

Napi::Value Open(const Napi::CallbackInfo& info, Domain* domain, struct fi_mr_attr* attr, const Napi::Value& key,
                 uint64_t flags, std::vector<MemoryRegion::Part> parts) {
  Environment& environment = EnvironmentOf(info);
  struct fid_mr* fid = nullptr;
  int result;
  if (key.IsUndefined()) {
    result = RegisterWithFreeKey(domain, attr, flags, &fid);
  } else {
    attr->requested_key = Uint64Of(key);
    // int fi_mr_regattr(struct fid_domain *domain, const struct fi_mr_attr *attr, uint64_t flags, struct fid_mr **mr)
    result = fi_mr_regattr(domain->fid, attr, flags, &fid);
  }
  if (result) return Napi::Number::New(info.Env(), result);
  auto region = std::make_unique<MemoryRegion>(&environment, domain, fid, std::move(parts), attr->access);
  return Napi::Number::New(info.Env(), environment.memory_regions.Add(std::move(region)));
}

// memoryRegionOpen(domain, segments, access, key, flags): number
Napi::Value MemoryRegionOpen(const Napi::CallbackInfo& info) {
  Environment& environment = EnvironmentOf(info);
  Domain* domain = environment.domains.Get(info[0].As<Napi::Number>().Int32Value());
  if (!domain) return Napi::Number::New(info.Env(), -FI_EBADF);
  auto numbers = info[1].As<Napi::Array>();
  std::vector<struct iovec> vectors;
  std::vector<MemoryRegion::Part> parts;
  for (uint32_t i = 0; i + 2 < numbers.Length(); i += 3) {
    int32_t handle = numbers.Get(i).As<Napi::Number>().Int32Value();
    int64_t offset = numbers.Get(i + 1).As<Napi::Number>().Int64Value();
    int64_t length = numbers.Get(i + 2).As<Napi::Number>().Int64Value();
    Memory* memory = environment.memories.Get(handle);
    if (!memory) return Napi::Number::New(info.Env(), -FI_EBADF);
    if (length <= 0 || !memory->Contains(offset, length)) return Napi::Number::New(info.Env(), -FI_EINVAL);
    parts.push_back({memory, handle, memory->At(offset), static_cast<size_t>(length)});
    vectors.push_back({memory->At(offset), static_cast<size_t>(length)});
  }
  // With the flag the vectors would be taken for a Dmabuf.
  uint64_t flags = Uint64Of(info[4]);
  if (parts.empty() || (flags & kMrDmabuf)) return Napi::Number::New(info.Env(), -FI_EINVAL);
  Padded<struct fi_mr_attr> attr;
  attr->mr_iov = vectors.data();
  attr->iov_count = vectors.size();
  attr->access = Uint64Of(info[2]);
  attr->iface = FI_HMEM_SYSTEM;
  return Open(info, domain, attr.get(), info[3], flags, std::move(parts));
}

// memoryRegionOpenDevice(domain, address, length, access, key, flags, interface, device, descriptor, offset): number
// Memory of a device, which JavaScript knows by its address, or by a dma-buf's descriptor and the offset in it;
// `address` is where the dma-buf begins in this process then, or 0. Never of this process: FI_HMEM_SYSTEM is refused.
Napi::Value MemoryRegionOpenDevice(const Napi::CallbackInfo& info) {
  Domain* domain = EnvironmentOf(info).domains.Get(info[0].As<Napi::Number>().Int32Value());
  if (!domain) return Napi::Number::New(info.Env(), -FI_EBADF);
  int interface = info[6].As<Napi::Number>().Int32Value();
  if (interface == FI_HMEM_SYSTEM || !(domain->caps & FI_HMEM)) return Napi::Number::New(info.Env(), -FI_EOPNOTSUPP);
  auto* start = reinterpret_cast<uint8_t*>(Uint64Of(info[1]));
  auto length = static_cast<size_t>(Uint64Of(info[2]));
  bool is_dmabuf = info[8].IsNumber();
  if (is_dmabuf && !HasDmabuf()) return Napi::Number::New(info.Env(), -FI_ENOSYS);
  struct iovec range = {start, length};
  Dmabuf dmabuf = {is_dmabuf ? info[8].As<Napi::Number>().Int32Value() : -1, Uint64Of(info[9]), length, start};
  uint64_t flags = Uint64Of(info[5]);
  Padded<struct fi_mr_attr> attr;
  attr->mr_iov = &range;
  if (is_dmabuf) {
    // One of a union in the newer headers.
    attr->mr_iov = reinterpret_cast<const struct iovec*>(&dmabuf);
    flags |= kMrDmabuf;
    start += dmabuf.offset;
  } else if (flags & kMrDmabuf) {
    return Napi::Number::New(info.Env(), -FI_EINVAL);
  }
  attr->iov_count = 1;
  attr->access = Uint64Of(info[3]);
  attr->iface = static_cast<enum fi_hmem_iface>(interface);
  attr->device.reserved = Uint64Of(info[7]);
  return Open(info, domain, attr.get(), info[4], flags, {{nullptr, -1, start, length}});
}

// int fi_mr_bind(struct fid_mr *mr, struct fid *bfid, uint64_t flags)
Napi::Value MemoryRegionBindCounter(const Napi::CallbackInfo& info) {
  MemoryRegion* region = Find(info);
  Counter* counter = EnvironmentOf(info).counters.Get(info[1].As<Napi::Number>().Int32Value());
  if (!region || !counter || !counter->fid) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (counter->domain != region->domain) return Napi::Number::New(info.Env(), -FI_EINVAL);
  if (counter->triggers) return Napi::Number::New(info.Env(), -FI_EBUSY);  // see EndpointTriggeredBy
  int result = fi_mr_bind(region->fid, &counter->fid->fid, Uint64Of(info[2]));
  if (!result) {
    region->counters.push_back(counter);
    counter->children++;
  }
  return Napi::Number::New(info.Env(), result);
}

// int fi_mr_bind(struct fid_mr *mr, struct fid *bfid, uint64_t flags)
Napi::Value MemoryRegionBindEndpoint(const Napi::CallbackInfo& info) {
  MemoryRegion* region = Find(info);
  Endpoint* endpoint = EnvironmentOf(info).endpoints.Get(info[1].As<Napi::Number>().Int32Value());
  if (!region || !endpoint || !endpoint->fid) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (region->endpoint || endpoint->domain != region->domain) return Napi::Number::New(info.Env(), -FI_EINVAL);
  int result = fi_mr_bind(region->fid, &endpoint->fid->fid, 0);
  if (!result) {
    region->endpoint = endpoint;
    endpoint->children++;
  }
  return Napi::Number::New(info.Env(), result);
}

// int fi_mr_enable(struct fid_mr *mr)
Napi::Value MemoryRegionEnable(const Napi::CallbackInfo& info) {
  MemoryRegion* region = Find(info);
  return Napi::Number::New(info.Env(), region ? fi_mr_enable(region->fid) : -FI_EBADF);
}

// int fi_mr_refresh(struct fid_mr *mr, const struct iovec *iov, size_t count, uint64_t flags)
Napi::Value MemoryRegionRefresh(const Napi::CallbackInfo& info) {
  MemoryRegion* region = Find(info);
  if (!region) return Napi::Number::New(info.Env(), -FI_EBADF);
  std::vector<struct iovec> vectors;
  for (const auto& part : region->parts) vectors.push_back({part.start, part.length});
  return Napi::Number::New(info.Env(), fi_mr_refresh(region->fid, vectors.data(), vectors.size(), 0));
}

// uint64_t fi_mr_key(struct fid_mr *mr)
Napi::Value MemoryRegionKey(const Napi::CallbackInfo& info) {
  MemoryRegion* region = Find(info);
  if (!region) return Napi::Number::New(info.Env(), -FI_EBADF);
  return Napi::BigInt::New(info.Env(), static_cast<uint64_t>(fi_mr_key(region->fid)));
}

// memoryRegionAddress(region, part): bigint
// Where a part begins in this process, for domains with FI_MR_VIRT_ADDR.
Napi::Value MemoryRegionAddress(const Napi::CallbackInfo& info) {
  MemoryRegion* region = Find(info);
  uint32_t part = info[1].As<Napi::Number>().Uint32Value();
  if (!region || part >= region->parts.size()) return Napi::Number::New(info.Env(), -FI_EBADF);
  return Napi::BigInt::New(info.Env(), static_cast<uint64_t>(reinterpret_cast<uintptr_t>(region->parts[part].start)));
}

// int fi_mr_raw_attr(struct fid_mr *mr, uint64_t *base_addr, uint8_t *raw_key, size_t *key_size, uint64_t flags)
// { base, key } or a negative code.
Napi::Value MemoryRegionRawAttr(const Napi::CallbackInfo& info) {
  MemoryRegion* region = Find(info);
  if (!region) return Napi::Number::New(info.Env(), -FI_EBADF);
  uint64_t base = 0;
  uint8_t key[256];
  size_t length = sizeof(key);
  int result = fi_mr_raw_attr(region->fid, &base, key, &length, 0);
  if (result) return Napi::Number::New(info.Env(), result);
  if (length > sizeof(key)) return Napi::Number::New(info.Env(), -FI_ETOOSMALL);
  auto attributes = Napi::Object::New(info.Env());
  attributes.Set("base", Napi::BigInt::New(info.Env(), base));
  attributes.Set("key", Napi::Buffer<uint8_t>::Copy(info.Env(), key, length));
  return attributes;
}

// int fi_mr_map_raw(struct fid_domain *domain, uint64_t base_addr, uint8_t *raw_key, size_t key_size, uint64_t *key,
//                   uint64_t flags)
Napi::Value DomainMapRaw(const Napi::CallbackInfo& info) {
  Domain* domain = EnvironmentOf(info).domains.Get(info[0].As<Napi::Number>().Int32Value());
  if (!domain) return Napi::Number::New(info.Env(), -FI_EBADF);
  auto bytes = info[2].As<Napi::Uint8Array>();
  std::vector<uint8_t> raw(bytes.Data(), bytes.Data() + bytes.ByteLength());
  uint64_t key = 0;
  int result = fi_mr_map_raw(domain->fid, Uint64Of(info[1]), raw.data(), raw.size(), &key, 0);
  if (result) return Napi::Number::New(info.Env(), result);
  return Napi::BigInt::New(info.Env(), key);
}

// int fi_mr_unmap_key(struct fid_domain *domain, uint64_t key)
Napi::Value DomainUnmapKey(const Napi::CallbackInfo& info) {
  Domain* domain = EnvironmentOf(info).domains.Get(info[0].As<Napi::Number>().Int32Value());
  if (!domain) return Napi::Number::New(info.Env(), -FI_EBADF);
  return Napi::Number::New(info.Env(), fi_mr_unmap_key(domain->fid, Uint64Of(info[1])));
}

Napi::Value MemoryRegionInFlight(const Napi::CallbackInfo& info) {
  MemoryRegion* region = Find(info);
  return Napi::Number::New(info.Env(), region ? region->InFlight() : -FI_EBADF);
}

// int fi_close(struct fid *fid)
Napi::Value MemoryRegionClose(const Napi::CallbackInfo& info) {
  MemoryRegion* region = Find(info);
  if (!region) return Napi::Number::New(info.Env(), -FI_EBADF);
  // What the hardware does with operations on a region that is gone is undefined. One that is bound to an endpoint has
  // to go before it nevertheless.
  if (!region->endpoint && region->InFlight() > 0) return Napi::Number::New(info.Env(), -FI_EBUSY);
  int result = region->Close();
  if (result) return Napi::Number::New(info.Env(), result);
  auto closed = EnvironmentOf(info).memory_regions.Take(info[0].As<Napi::Number>().Int32Value());
  Domain* domain = closed->domain;
  if (closed->is_exposed && domain->endpoints > 0) {
    size_t bytes = 0;
    for (const MemoryRegion::Part& part : closed->parts) bytes += part.length;
    domain->Retire(std::move(closed), bytes);
  }
  return Napi::Number::New(info.Env(), 0);
}

}  // namespace

void ExportMemoryRegion(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "memoryRegionOpen", MemoryRegionOpen);
  Export(env, exports, environment, "memoryRegionOpenDevice", MemoryRegionOpenDevice);
  Export(env, exports, environment, "memoryRegionBindCounter", MemoryRegionBindCounter);
  Export(env, exports, environment, "memoryRegionBindEndpoint", MemoryRegionBindEndpoint);
  Export(env, exports, environment, "memoryRegionEnable", MemoryRegionEnable);
  Export(env, exports, environment, "memoryRegionRefresh", MemoryRegionRefresh);
  Export(env, exports, environment, "memoryRegionKey", MemoryRegionKey);
  Export(env, exports, environment, "memoryRegionAddress", MemoryRegionAddress);
  Export(env, exports, environment, "memoryRegionRawAttr", MemoryRegionRawAttr);
  Export(env, exports, environment, "memoryRegionInFlight", MemoryRegionInFlight);
  Export(env, exports, environment, "memoryRegionClose", MemoryRegionClose);
  Export(env, exports, environment, "domainMapRaw", DomainMapRaw);
  Export(env, exports, environment, "domainUnmapKey", DomainUnmapKey);
}

}  // namespace node_libfabric
