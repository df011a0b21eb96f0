#include "address_vector_set.h"

#include <algorithm>

#include "environment.h"
#include "padded.h"

namespace node_libfabric {
namespace {

std::shared_ptr<AddressVectorSet> Find(const Napi::CallbackInfo& info, size_t argument = 0) {
  auto* found = EnvironmentOf(info).address_vector_sets.Get(info[argument].As<Napi::Number>().Int32Value());
  return found ? found->set : nullptr;
}

// addressVectorSetOpen(av, capacity): number
// An empty set. (libfabric 1.17 reads past the end of the vector for a range that it does not have.)
//
// int fi_av_set(struct fid_av *av, struct fi_av_set_attr *attr, struct fid_av_set **set, void * context)
Napi::Value AddressVectorSetOpen(const Napi::CallbackInfo& info) {
  Environment& environment = EnvironmentOf(info);
  AddressVector* av = environment.address_vectors.Get(info[0].As<Napi::Number>().Int32Value());
  if (!av) return Napi::Number::New(info.Env(), -FI_EBADF);
  Padded<struct fi_av_set_attr> attr;
  attr->count = info[1].As<Napi::Number>().Uint32Value();
  attr->start_addr = 1;  // after the end: no address
  attr->end_addr = 0;
  attr->stride = 1;
  struct fid_av_set* fid = nullptr;
  int result = fi_av_set(av->fid, attr.get(), &fid, nullptr);
  if (result) return Napi::Number::New(info.Env(), result);
  auto reference = std::make_unique<AddressVectorSetReference>();
  reference->set = std::make_shared<AddressVectorSet>(av, fid);
  return Napi::Number::New(info.Env(), environment.address_vector_sets.Add(std::move(reference)));
}

// int fi_av_set_insert(struct fid_av_set *set, fi_addr_t addr)
Napi::Value AddressVectorSetInsert(const Napi::CallbackInfo& info) {
  auto set = Find(info);
  fi_addr_t address;
  if (!set) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (set->groups > 0) return Napi::Number::New(info.Env(), -FI_EBUSY);
  if (!set->av->Find(info[1].As<Napi::Number>().Int32Value(), &address)) {
    return Napi::Number::New(info.Env(), -FI_EINVAL);
  }
  int result = fi_av_set_insert(set->fid, address);
  if (!result) set->members.push_back(address);
  return Napi::Number::New(info.Env(), result);
}

// int fi_av_set_remove(struct fid_av_set *set, fi_addr_t addr)
Napi::Value AddressVectorSetRemove(const Napi::CallbackInfo& info) {
  auto set = Find(info);
  fi_addr_t address;
  if (!set) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (set->groups > 0) return Napi::Number::New(info.Env(), -FI_EBUSY);
  if (!set->av->Find(info[1].As<Napi::Number>().Int32Value(), &address)) {
    return Napi::Number::New(info.Env(), -FI_EINVAL);
  }
  int result = fi_av_set_remove(set->fid, address);
  auto found = std::find(set->members.begin(), set->members.end(), address);
  if (!result && found != set->members.end()) {
    // The last one takes its place, as in the provider.
    *found = set->members.back();
    set->members.pop_back();
  }
  return Napi::Number::New(info.Env(), result);
}

// int fi_av_set_union(struct fid_av_set *dst, const struct fid_av_set *src)
Napi::Value AddressVectorSetUnion(const Napi::CallbackInfo& info) {
  auto set = Find(info);
  auto other = Find(info, 1);
  if (!set || !other) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (set->av != other->av) return Napi::Number::New(info.Env(), -FI_EINVAL);
  if (set->groups > 0) return Napi::Number::New(info.Env(), -FI_EBUSY);
  if (set == other) return Napi::Number::New(info.Env(), 0);
  int result = fi_av_set_union(set->fid, other->fid);
  for (fi_addr_t address : other->members) {
    bool is_member = std::find(set->members.begin(), set->members.end(), address) != set->members.end();
    if (!result && !is_member) set->members.push_back(address);
  }
  return Napi::Number::New(info.Env(), result);
}

// addressVectorSetMembers(set): number[], indices of the vector by rank
Napi::Value AddressVectorSetMembers(const Napi::CallbackInfo& info) {
  auto set = Find(info);
  if (!set) return Napi::Number::New(info.Env(), -FI_EBADF);
  auto indices = Napi::Array::New(info.Env(), set->members.size());
  for (uint32_t rank = 0; rank < set->members.size(); rank++) {
    indices.Set(rank, Napi::Number::New(info.Env(), set->av->IndexOf(set->members[rank])));
  }
  return indices;
}

// addressVectorSetClose(set): number
// fi_close(3) follows when the last group that was joined with it has gone.
Napi::Value AddressVectorSetClose(const Napi::CallbackInfo& info) {
  EnvironmentOf(info).address_vector_sets.Remove(info[0].As<Napi::Number>().Int32Value());
  return Napi::Number::New(info.Env(), 0);
}

}  // namespace

void ExportAddressVectorSet(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "addressVectorSetOpen", AddressVectorSetOpen);
  Export(env, exports, environment, "addressVectorSetInsert", AddressVectorSetInsert);
  Export(env, exports, environment, "addressVectorSetRemove", AddressVectorSetRemove);
  Export(env, exports, environment, "addressVectorSetUnion", AddressVectorSetUnion);
  Export(env, exports, environment, "addressVectorSetMembers", AddressVectorSetMembers);
  Export(env, exports, environment, "addressVectorSetClose", AddressVectorSetClose);
}

}  // namespace node_libfabric
