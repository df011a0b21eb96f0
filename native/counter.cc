#include "counter.h"

#include <algorithm>

#include "close.h"
#include "environment.h"
#include "padded.h"
#include "post.h"

namespace node_libfabric {

Counter::~Counter() {
  Close();
  if (triggers) {
    auto& counters = triggers->triggering;
    counters.erase(std::find(counters.begin(), counters.end(), this));
  }
  domain->children--;
}

namespace {

Counter* Find(const Napi::CallbackInfo& info, size_t argument = 0) {
  Counter* counter = EnvironmentOf(info).counters.Get(info[argument].As<Napi::Number>().Int32Value());
  return counter && counter->fid ? counter : nullptr;
}

// int fi_cntr_open(struct fid_domain *domain, struct fi_cntr_attr *attr, struct fid_cntr **cntr, void *context)
Napi::Value CounterOpen(const Napi::CallbackInfo& info) {
  Environment& environment = EnvironmentOf(info);
  Domain* domain = environment.domains.Get(info[0].As<Napi::Number>().Int32Value());
  if (!domain) return Napi::Number::New(info.Env(), -FI_EBADF);
  Padded<struct fi_cntr_attr> attr;
  attr->events = FI_CNTR_EVENTS_COMP;
  attr->wait_obj = FI_WAIT_NONE;
  struct fid_cntr* fid = nullptr;
  int result = fi_cntr_open(domain->fid, attr.get(), &fid, nullptr);
  if (result) return Napi::Number::New(info.Env(), result);
  return Napi::Number::New(info.Env(), environment.counters.Add(std::make_unique<Counter>(domain, fid)));
}

// uint64_t fi_cntr_read(struct fid_cntr *cntr)
Napi::Value CounterRead(const Napi::CallbackInfo& info) {
  Counter* counter = Find(info);
  return Napi::Number::New(info.Env(), counter ? static_cast<double>(fi_cntr_read(counter->fid)) : -FI_EBADF);
}

// uint64_t fi_cntr_readerr(struct fid_cntr *cntr)
Napi::Value CounterReaderr(const Napi::CallbackInfo& info) {
  Counter* counter = Find(info);
  return Napi::Number::New(info.Env(), counter ? static_cast<double>(fi_cntr_readerr(counter->fid)) : -FI_EBADF);
}

// int fi_cntr_add(struct fid_cntr *cntr, uint64_t value)
Napi::Value CounterAdd(const Napi::CallbackInfo& info) {
  Counter* counter = Find(info);
  return Napi::Number::New(info.Env(), counter ? fi_cntr_add(counter->fid, Uint64Of(info[1])) : -FI_EBADF);
}

// int fi_cntr_adderr(struct fid_cntr *cntr, uint64_t value)
Napi::Value CounterAdderr(const Napi::CallbackInfo& info) {
  Counter* counter = Find(info);
  return Napi::Number::New(info.Env(), counter ? fi_cntr_adderr(counter->fid, Uint64Of(info[1])) : -FI_EBADF);
}

// int fi_cntr_set(struct fid_cntr *cntr, uint64_t value)
Napi::Value CounterSet(const Napi::CallbackInfo& info) {
  Counter* counter = Find(info);
  return Napi::Number::New(info.Env(), counter ? fi_cntr_set(counter->fid, Uint64Of(info[1])) : -FI_EBADF);
}

// int fi_cntr_seterr(struct fid_cntr *cntr, uint64_t value)
Napi::Value CounterSeterr(const Napi::CallbackInfo& info) {
  Counter* counter = Find(info);
  return Napi::Number::New(info.Env(), counter ? fi_cntr_seterr(counter->fid, Uint64Of(info[1])) : -FI_EBADF);
}

// int fi_ep_bind(struct fid_ep *ep, struct fid *bfid, uint64_t flags)
Napi::Value EndpointBindCounter(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = EnvironmentOf(info).endpoints.Get(info[0].As<Napi::Number>().Int32Value());
  Counter* counter = Find(info, 1);
  if (!endpoint || !endpoint->fid || !counter) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (endpoint->enabled || counter->domain != endpoint->domain) return Napi::Number::New(info.Env(), -FI_EINVAL);
  if (counter->triggers) return Napi::Number::New(info.Env(), -FI_EBUSY);  // see EndpointTriggeredBy
  int result = fi_ep_bind(endpoint->fid, &counter->fid->fid, Uint64Of(info[2]));
  if (!result) {
    endpoint->counters.push_back(counter);
    counter->children++;
  }
  return Napi::Number::New(info.Env(), result);
}

// endpointTriggeredBy(endpoint, counter): number
// From now on the counter may trigger operations of the endpoint.
//
// A provider keeps what waits together with the counter, and looks at the endpoint when the counter changes, whether
// that is still there or not (sockets). So nothing may change the counter once the endpoint is gone: it counts for this
// endpoint or for none, triggers operations of this one alone, and is closed with it (Endpoint::Close).
Napi::Value EndpointTriggeredBy(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = EnvironmentOf(info).endpoints.Get(info[0].As<Napi::Number>().Int32Value());
  Counter* counter = Find(info, 1);
  if (!endpoint || !endpoint->enabled || !counter) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (!(endpoint->caps & FI_TRIGGER)) return Napi::Number::New(info.Env(), -FI_EOPNOTSUPP);
  if (counter->domain != endpoint->domain) return Napi::Number::New(info.Env(), -FI_EINVAL);
  Endpoint* owner = endpoint->original();
  if (counter->triggers == owner) return Napi::Number::New(info.Env(), 0);
  auto bound = std::count(owner->counters.begin(), owner->counters.end(), counter);
  if (counter->triggers || counter->children != bound) return Napi::Number::New(info.Env(), -FI_EBUSY);
  counter->triggers = owner;
  owner->triggering.push_back(counter);
  return Napi::Number::New(info.Env(), 0);
}

// int fi_close(struct fid *fid)
Napi::Value CounterClose(const Napi::CallbackInfo& info) {
  return CloseHandle(info, EnvironmentOf(info).counters, [](Counter& counter) { return counter.Close(); });
}

}  // namespace

void ExportCounter(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "counterOpen", CounterOpen);
  Export(env, exports, environment, "counterRead", CounterRead);
  Export(env, exports, environment, "counterReaderr", CounterReaderr);
  Export(env, exports, environment, "counterAdd", CounterAdd);
  Export(env, exports, environment, "counterAdderr", CounterAdderr);
  Export(env, exports, environment, "counterSet", CounterSet);
  Export(env, exports, environment, "counterSeterr", CounterSeterr);
  Export(env, exports, environment, "counterClose", CounterClose);
  Export(env, exports, environment, "endpointBindCounter", EndpointBindCounter);
  Export(env, exports, environment, "endpointTriggeredBy", EndpointTriggeredBy);
}

}  // namespace node_libfabric
