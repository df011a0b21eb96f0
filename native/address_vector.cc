#include "address_vector.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <string>

#include "close.h"
#include "environment.h"
#include "padded.h"

namespace node_libfabric {

int AddressVector::InsertName(const std::string& name, fi_addr_t* address) {
  int result = shared_memory::CheckPeer(name);
  if (result) return result;
  auto known = names_.find(name);
  if (known != names_.end()) {
    if (known->second.uses++ == 0) unused_.erase(std::find(unused_.begin(), unused_.end(), name));
    *address = known->second.address;
    return 0;
  }
  if (names_.size() >= shared_memory::kMostPeers && !unused_.empty()) {
    auto oldest = names_.find(unused_.front());
    fi_av_remove(fid, &oldest->second.address, 1, 0);
    names_.erase(oldest);
    unused_.pop_front();
  }
  int count = fi_av_insert(fid, name.c_str(), 1, address, 0, nullptr);
  if (count != 1 || *address == FI_ADDR_NOTAVAIL) return count < 0 ? count : -FI_EADDRNOTAVAIL;
  names_[name] = {*address, 1};
  return 0;
}

void AddressVector::ReleaseName(fi_addr_t address) {
  for (auto& [name, entry] : names_) {
    if (entry.address == address && --entry.uses == 0) unused_.push_back(name);
  }
}

namespace {

AddressVector* Find(const Napi::CallbackInfo& info) {
  return EnvironmentOf(info).address_vectors.Get(info[0].As<Napi::Number>().Int32Value());
}

// int fi_av_open(struct fid_domain *domain, struct fi_av_attr *attr, struct fid_av **av, void *context)
Napi::Value AddressVectorOpen(const Napi::CallbackInfo& info) {
  Environment& environment = EnvironmentOf(info);
  Domain* domain = environment.domains.Get(info[0].As<Napi::Number>().Int32Value());
  if (!domain) return Napi::Number::New(info.Env(), -FI_EBADF);
  Padded<struct fi_av_attr> attr;
  attr->type = static_cast<enum fi_av_type>(info[1].As<Napi::Number>().Int32Value());
  attr->count = info[2].As<Napi::Number>().Uint32Value();
  attr->rx_ctx_bits = info[3].As<Napi::Number>().Int32Value();
  struct fid_av* fid = nullptr;
  int result = fi_av_open(domain->fid, attr.get(), &fid, nullptr);
  if (result) return Napi::Number::New(info.Env(), result);
  return Napi::Number::New(info.Env(), environment.address_vectors.Add(std::make_unique<AddressVector>(domain, fid)));
}

// One address, of as many bytes as TypeScript has checked that its format has: providers read as many as that says, and
// FI_ADDR_STR up to its NUL. A copy with zeros behind it bounds that.
//
// int fi_av_insert(struct fid_av *av, const void *addr, size_t count, fi_addr_t *fi_addr, uint64_t flags, void
// *context)
int Insert(AddressVector* av, const uint8_t* bytes, size_t length, fi_addr_t* inserted) {
  std::vector<uint8_t> address(bytes, bytes + length);
  address.resize(std::max<size_t>(address.size() + 1, 256));
  if (av->domain->fabric->is_shared_memory) {
    return av->InsertName(reinterpret_cast<const char*>(address.data()), inserted);
  }
  int count = fi_av_insert(av->fid, address.data(), 1, inserted, 0, nullptr);
  if (count < 0) return count;
  return count != 1 || *inserted == FI_ADDR_NOTAVAIL ? -FI_EADDRNOTAVAIL : 0;
}

// addressVectorInsert(av, bytes): number
Napi::Value AddressVectorInsert(const Napi::CallbackInfo& info) {
  AddressVector* av = Find(info);
  if (!av) return Napi::Number::New(info.Env(), -FI_EBADF);
  auto bytes = info[1].As<Napi::Uint8Array>();
  fi_addr_t inserted = FI_ADDR_NOTAVAIL;
  int result = Insert(av, bytes.Data(), bytes.ByteLength(), &inserted);
  return Napi::Number::New(info.Env(), result ? result : av->Add(inserted));
}

// What several insertions gave: the indices, -1 where an address was not inserted, or a negative libfabric code when
// none was.
Napi::Value Inserted(Napi::Env env, AddressVector* av, int result, const std::vector<fi_addr_t>& addresses) {
  if (result < 0) return Napi::Number::New(env, result);
  auto indices = Napi::Array::New(env, addresses.size());
  for (uint32_t i = 0; i < addresses.size(); i++) {
    indices.Set(i, Napi::Number::New(env, addresses[i] == FI_ADDR_NOTAVAIL ? -1 : av->Add(addresses[i])));
  }
  return indices;
}

// addressVectorInsertMany(av, bytes, count): number[] | number
// `bytes` has `count` addresses of the same length one after the other. They are inserted one by one: where one of many
// is not valid, ofi_rxm and net of libfabric 1.17 crash when another one is removed later (rxm_av_insert).
Napi::Value AddressVectorInsertMany(const Napi::CallbackInfo& info) {
  AddressVector* av = Find(info);
  if (!av) return Napi::Number::New(info.Env(), -FI_EBADF);
  auto bytes = info[1].As<Napi::Uint8Array>();
  size_t count = info[2].As<Napi::Number>().Uint32Value();
  if (count == 0 || bytes.ByteLength() < count) return Napi::Number::New(info.Env(), -FI_EINVAL);
  size_t length = bytes.ByteLength() / count;
  std::vector<fi_addr_t> inserted(count, FI_ADDR_NOTAVAIL);
  int problem = 0;
  for (size_t i = 0; i < count; i++) {
    int result = Insert(av, bytes.Data() + i * length, length, &inserted[i]);
    if (result) problem = result;
  }
  bool has_any = std::any_of(inserted.begin(), inserted.end(), [](auto one) { return one != FI_ADDR_NOTAVAIL; });
  return Inserted(info.Env(), av, has_any ? 0 : problem, inserted);
}

// int fi_av_insertsvc(struct fid_av *av, const char *node, const char *service, fi_addr_t *fi_addr, uint64_t flags,
//                     void *context)
Napi::Value AddressVectorInsertService(const Napi::CallbackInfo& info) {
  AddressVector* av = Find(info);
  if (!av) return Napi::Number::New(info.Env(), -FI_EBADF);
  std::string node = info[1].As<Napi::String>().Utf8Value();
  std::string service = info[2].As<Napi::String>().Utf8Value();
  fi_addr_t inserted = FI_ADDR_NOTAVAIL;
  int count = fi_av_insertsvc(av->fid, node.c_str(), service.c_str(), &inserted, 0, nullptr);
  if (count < 0) return Napi::Number::New(info.Env(), count);
  if (count != 1 || inserted == FI_ADDR_NOTAVAIL) return Napi::Number::New(info.Env(), -FI_EADDRNOTAVAIL);
  return Napi::Number::New(info.Env(), av->Add(inserted));
}

// int fi_av_insertsym(struct fid_av *av, const char *node, size_t nodecnt, const char *service, size_t svccnt,
//                     fi_addr_t *fi_addr, uint64_t flags, void *context)
Napi::Value AddressVectorInsertSymmetric(const Napi::CallbackInfo& info) {
  AddressVector* av = Find(info);
  if (!av) return Napi::Number::New(info.Env(), -FI_EBADF);
  std::string node = info[1].As<Napi::String>().Utf8Value();
  size_t nodes = info[2].As<Napi::Number>().Uint32Value();
  std::string service = info[3].As<Napi::String>().Utf8Value();
  size_t services = info[4].As<Napi::Number>().Uint32Value();
  std::vector<fi_addr_t> inserted(nodes * services, FI_ADDR_NOTAVAIL);
  int result = fi_av_insertsym(av->fid, node.c_str(), nodes, service.c_str(), services, inserted.data(), 0, nullptr);
  return Inserted(info.Env(), av, result, inserted);
}

// addressVectorRemove(av, indices): number
// All or, when an index is unknown, none of them.
//
// int fi_av_remove(struct fid_av *av, fi_addr_t *fi_addr, size_t count, uint64_t flags)
Napi::Value AddressVectorRemove(const Napi::CallbackInfo& info) {
  AddressVector* av = Find(info);
  if (!av) return Napi::Number::New(info.Env(), -FI_EBADF);
  auto given = info[1].As<Napi::Array>();
  std::set<int32_t> indices;
  std::vector<fi_addr_t> addresses;
  for (uint32_t i = 0; i < given.Length(); i++) {
    int32_t index = given.Get(i).As<Napi::Number>().Int32Value();
    fi_addr_t address;
    if (!av->Find(index, &address) || !indices.insert(index).second) return Napi::Number::New(info.Env(), -FI_EINVAL);
    // A collective would go on sending there.
    if (av->IsInSet(address)) return Napi::Number::New(info.Env(), -FI_EBUSY);
    addresses.push_back(address);
  }
  if (av->domain->fabric->is_efa) {
    // which keeps a peer once, however often it was inserted: it goes with its last index
    std::vector<fi_addr_t> last;
    for (int32_t index : indices) {
      fi_addr_t address = av->addresses[static_cast<size_t>(index)];
      av->Forget(index);
      if (av->indices.count(address) == 0) last.push_back(address);
    }
    int result = last.empty() ? 0 : fi_av_remove(av->fid, last.data(), last.size(), 0);
    return Napi::Number::New(info.Env(), result);
  }
  bool is_shared_memory = av->domain->fabric->is_shared_memory;
  int result = is_shared_memory ? 0 : fi_av_remove(av->fid, addresses.data(), addresses.size(), 0);
  if (is_shared_memory) {
    for (fi_addr_t address : addresses) av->ReleaseName(address);
  }
  if (!result) {
    for (int32_t index : indices) av->Forget(index);
  }
  return Napi::Number::New(info.Env(), result);
}

// int fi_av_lookup(struct fid_av *av, fi_addr_t fi_addr, void *addr, size_t *addrlen)
Napi::Value AddressVectorLookup(const Napi::CallbackInfo& info) {
  AddressVector* av = Find(info);
  fi_addr_t address;
  if (!av) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (!av->Find(info[1].As<Napi::Number>().Int32Value(), &address)) return Napi::Number::New(info.Env(), -FI_EINVAL);
  uint8_t bytes[1024];
  size_t length = sizeof(bytes);
  int result = fi_av_lookup(av->fid, address, bytes, &length);
  if (result && result != -FI_ETOOSMALL) return Napi::Number::New(info.Env(), result);
  return Napi::Buffer<uint8_t>::Copy(info.Env(), bytes, std::min(length, sizeof(bytes)));
}

// const char *fi_av_straddr(struct fid_av *av, const void *addr, char *buf, size_t *len)
Napi::Value AddressVectorText(const Napi::CallbackInfo& info) {
  AddressVector* av = Find(info);
  if (!av) return Napi::Number::New(info.Env(), -FI_EBADF);
  auto bytes = info[1].As<Napi::Uint8Array>();
  std::vector<uint8_t> address(bytes.Data(), bytes.Data() + bytes.ByteLength());
  address.resize(std::max<size_t>(address.size() + 1, 256));
  char text[1024] = "";
  size_t length = sizeof(text) - 1;
  fi_av_straddr(av->fid, address.data(), text, &length);
  return Napi::String::New(info.Env(), text);
}

// int fi_close(struct fid *fid)
Napi::Value AddressVectorClose(const Napi::CallbackInfo& info) {
  return CloseHandle(info, EnvironmentOf(info).address_vectors, [](AddressVector& av) { return av.Close(); });
}

}  // namespace

void ExportAddressVector(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "addressVectorOpen", AddressVectorOpen);
  Export(env, exports, environment, "addressVectorInsert", AddressVectorInsert);
  Export(env, exports, environment, "addressVectorInsertMany", AddressVectorInsertMany);
  Export(env, exports, environment, "addressVectorInsertService", AddressVectorInsertService);
  Export(env, exports, environment, "addressVectorInsertSymmetric", AddressVectorInsertSymmetric);
  Export(env, exports, environment, "addressVectorRemove", AddressVectorRemove);
  Export(env, exports, environment, "addressVectorLookup", AddressVectorLookup);
  Export(env, exports, environment, "addressVectorText", AddressVectorText);
  Export(env, exports, environment, "addressVectorClose", AddressVectorClose);
}

}  // namespace node_libfabric
