#include "group.h"

#include "environment.h"
#include "padded.h"

namespace node_libfabric {
namespace {

Endpoint* Find(const Napi::CallbackInfo& info) {
  return EnvironmentOf(info).endpoints.Get(info[0].As<Napi::Number>().Int32Value());
}

// The number of a group as a context, which must not be a null pointer.
void* ContextOf(int32_t number) {
  return reinterpret_cast<void*>(static_cast<uintptr_t>(number) + 1);
}

// endpointBindEvents(endpoint): number
// Before it is enabled: joining needs somewhere to report to, and some providers crash without.
//
// int fi_eq_open(struct fid_fabric *fabric, struct fi_eq_attr *attr, struct fid_eq **eq, void *context)
// int fi_ep_bind(struct fid_ep *ep, struct fid *bfid, uint64_t flags)
Napi::Value EndpointBindEvents(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  if (!endpoint || endpoint->enabled || endpoint->groups.events) return Napi::Number::New(info.Env(), -FI_EBADF);
  Padded<struct fi_eq_attr> attr;
  attr->wait_obj = FI_WAIT_NONE;
  attr->flags = FI_WRITE;  // the provider itself writes to it
  struct fid_eq* events = nullptr;
  int result = fi_eq_open(endpoint->domain->fabric->fid, attr.get(), &events, nullptr);
  if (result) return Napi::Number::New(info.Env(), result);
  result = fi_ep_bind(endpoint->fid, &events->fid, 0);
  if (result) {
    fi_close(&events->fid);
  } else {
    endpoint->groups.events = events;
  }
  return Napi::Number::New(info.Env(), result);
}

// groupJoinCollective(endpoint, set): number, of the group
//
// int fi_join_collective(struct fid_ep *ep, fi_addr_t coll_addr, const struct fid_av_set *set, uint64_t flags,
//                        struct fid_mc **mc, void *context)
// int fi_av_set_addr(struct fid_av_set *set, fi_addr_t *coll_addr)
Napi::Value GroupJoinCollective(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  auto* reference = EnvironmentOf(info).address_vector_sets.Get(info[1].As<Napi::Number>().Int32Value());
  if (!endpoint || !endpoint->enabled || !reference) return Napi::Number::New(info.Env(), -FI_EBADF);
  auto set = reference->set;
  if (!endpoint->groups.events || set->av != endpoint->av) return Napi::Number::New(info.Env(), -FI_EINVAL);
  fi_addr_t address = FI_ADDR_NOTAVAIL;
  int result = fi_av_set_addr(set->fid, &address);
  if (result) return Napi::Number::New(info.Env(), result);
  int32_t number = endpoint->groups.Add({nullptr, set, false, false, ""});
  set->groups++;
  struct fid_mc* fid = nullptr;
  result = fi_join_collective(endpoint->fid, address, set->fid, 0, &fid, ContextOf(number));
  Group* group = endpoint->groups.Get(number);
  group->fid = fid;
  if (result) endpoint->groups.Leave(group);
  return Napi::Number::New(info.Env(), result ? result : number);
}

// groupJoinMulticast(endpoint, address: Uint8Array): number, of the group
//
// int fi_join(struct fid_ep *ep, const void *addr, uint64_t flags, struct fid_mc **mc, void *context)
Napi::Value GroupJoinMulticast(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  if (!endpoint || !endpoint->enabled) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (!endpoint->groups.events) return Napi::Number::New(info.Env(), -FI_EINVAL);
  auto bytes = info[1].As<Napi::Uint8Array>();
  const std::string name(bytes.Data(), bytes.Data() + bytes.ByteLength());
  // udp would fail to join, and then to leave.
  if (endpoint->groups.HasJoined(name)) return Napi::Number::New(info.Env(), -FI_EALREADY);
  std::vector<uint8_t> address(name.begin(), name.end());
  address.resize(address.size() + 256);
  int32_t number = endpoint->groups.Add({nullptr, nullptr, false, false, name});
  struct fid_mc* fid = nullptr;
  int result = fi_join(endpoint->fid, address.data(), 0, &fid, ContextOf(number));
  Group* group = endpoint->groups.Get(number);
  group->fid = result ? nullptr : fid;
  if (result) endpoint->groups.Leave(group);
  return Napi::Number::New(info.Env(), result ? result : number);
}

// groupJoined(endpoint, group): number
// 1 once the group was joined, 0 before, or a negative libfabric code.
//
// ssize_t fi_eq_read(struct fid_eq *eq, uint32_t *event, void *buf, size_t len, uint64_t flags)
// ssize_t fi_eq_readerr(struct fid_eq *eq, struct fi_eq_err_entry *buf, uint64_t flags)
Napi::Value GroupJoined(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  if (!endpoint || !endpoint->groups.events) return Napi::Number::New(info.Env(), -FI_EBADF);
  int32_t number = info[1].As<Napi::Number>().Int32Value();
  // An error entry is larger, and libfabric 1.17's udp writes one where a plain one is expected.
  Padded<struct fi_eq_err_entry> entry;
  uint32_t event = 0;
  ssize_t size;
  while ((size = fi_eq_read(endpoint->groups.events, &event, entry.get(), sizeof(struct fi_eq_err_entry), 0)) > 0) {
    Group* joined = endpoint->groups.Get(static_cast<int32_t>(reinterpret_cast<uintptr_t>(entry->context) - 1));
    bool has_failed = size >= static_cast<ssize_t>(sizeof(struct fi_eq_err_entry)) && entry->err;
    if (event != FI_JOIN_COMPLETE || !joined) continue;
    joined->is_joined = !has_failed;
    if (has_failed) return Napi::Number::New(info.Env(), entry->err < 0 ? entry->err : -entry->err);
  }
  if (size == -FI_EAVAIL) {
    Padded<struct fi_eq_err_entry> error;
    fi_eq_readerr(endpoint->groups.events, error.get(), 0);
    return Napi::Number::New(info.Env(), error->err < 0 ? error->err : -error->err);
  }
  Group* group = endpoint->groups.Get(number);
  if (!group) return Napi::Number::New(info.Env(), -FI_EBADF);
  return Napi::Number::New(info.Env(), group->is_joined ? 1 : 0);
}

// groupClose(endpoint, group, busy): number
// One that an operation may still use (`busy`) is left with the endpoint.
Napi::Value GroupClose(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  Group* group = endpoint ? endpoint->groups.Get(info[1].As<Napi::Number>().Int32Value()) : nullptr;
  if (!group) return Napi::Number::New(info.Env(), 0);
  if (info[2].As<Napi::Boolean>() && group->IsCollective()) {
    group->is_left = true;
    return Napi::Number::New(info.Env(), 0);
  }
  return Napi::Number::New(info.Env(), endpoint->groups.Leave(group));
}

}  // namespace

void ExportGroup(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "endpointBindEvents", EndpointBindEvents);
  Export(env, exports, environment, "groupJoinCollective", GroupJoinCollective);
  Export(env, exports, environment, "groupJoinMulticast", GroupJoinMulticast);
  Export(env, exports, environment, "groupJoined", GroupJoined);
  Export(env, exports, environment, "groupClose", GroupClose);
}

}  // namespace node_libfabric
