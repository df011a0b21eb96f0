#include "domain.h"

#include "close.h"
#include "environment.h"

namespace node_libfabric {
namespace {

// int fi_domain(struct fid_fabric *fabric, struct fi_info *info, struct fid_domain **domain, void *context)
Napi::Value DomainOpen(const Napi::CallbackInfo& info) {
  Environment& environment = EnvironmentOf(info);
  Fabric* fabric = environment.fabrics.Get(info[0].As<Napi::Number>().Int32Value());
  if (!fabric) return Napi::Number::New(info.Env(), -FI_EBADF);
  InfoPointer native = InfoArgument(info[1], fabric->info);
  struct fid_domain* fid = nullptr;
  int result = fi_domain(fabric->fid, native.get(), &fid, nullptr);
  if (result) return Napi::Number::New(info.Env(), result);
  auto domain = std::make_unique<Domain>(fabric, fid, std::move(native));
  return Napi::Number::New(info.Env(), environment.domains.Add(std::move(domain)));
}

// int fi_close(struct fid *fid)
Napi::Value DomainClose(const Napi::CallbackInfo& info) {
  Environment& environment = EnvironmentOf(info);
  Domain* domain = environment.domains.Get(info[0].As<Napi::Number>().Int32Value());
  // The domain's registrations of JavaScript memory go with it; the last endpoint that could use them has gone before.
  if (domain && domain->children == 0) {
    environment.memories.ForEach([domain](Memory& memory) { memory.Deregister(domain); });
    domain->CloseNothing();
  }
  return CloseHandle(info, environment.domains, [](Domain& object) { return object.Close(&object.fid->fid); });
}

// domainSetRegistrationLimit(domain, limit): number
// How many registrations behind the scenes are kept; 0 for any number.
Napi::Value DomainSetRegistrationLimit(const Napi::CallbackInfo& info) {
  Domain* domain = EnvironmentOf(info).domains.Get(info[0].As<Napi::Number>().Int32Value());
  if (!domain) return Napi::Number::New(info.Env(), -FI_EBADF);
  domain->registrations.limit = static_cast<size_t>(info[1].As<Napi::Number>().Int64Value());
  return Napi::Number::New(info.Env(), 0);
}

// domainRegistrations(domain): { count, bytes, hits, misses, evictions, limit } | number
Napi::Value DomainRegistrations(const Napi::CallbackInfo& info) {
  Domain* domain = EnvironmentOf(info).domains.Get(info[0].As<Napi::Number>().Int32Value());
  if (!domain) return Napi::Number::New(info.Env(), -FI_EBADF);
  const Registrations& registrations = domain->registrations;
  auto result = Napi::Object::New(info.Env());
  result.Set("count", static_cast<double>(registrations.members.size()));
  result.Set("bytes", static_cast<double>(registrations.bytes));
  result.Set("hits", static_cast<double>(registrations.hits));
  result.Set("misses", static_cast<double>(registrations.misses));
  result.Set("evictions", static_cast<double>(registrations.evictions));
  result.Set("limit", static_cast<double>(registrations.limit));
  return result;
}

}  // namespace

void ExportDomain(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "domainOpen", DomainOpen);
  Export(env, exports, environment, "domainClose", DomainClose);
  Export(env, exports, environment, "domainSetRegistrationLimit", DomainSetRegistrationLimit);
  Export(env, exports, environment, "domainRegistrations", DomainRegistrations);
}

}  // namespace node_libfabric
