#include "domain.h"

#include "close.h"
#include "environment.h"
#include "info.h"

namespace node_libfabric {
namespace {

// int fi_domain(struct fid_fabric *fabric, struct fi_info *info, struct fid_domain **domain, void *context)
Napi::Value DomainOpen(const Napi::CallbackInfo& info) {
  Environment& environment = EnvironmentOf(info);
  Fabric* fabric = environment.fabrics.Get(info[0].As<Napi::Number>().Int32Value());
  if (!fabric) return Napi::Number::New(info.Env(), -FI_EBADF);
  InfoPointer native = InfoFromObject(info[1].As<Napi::Object>());
  struct fid_domain* fid = nullptr;
  int result = fi_domain(fabric->fid, native.get(), &fid, nullptr);
  if (result) return Napi::Number::New(info.Env(), result);
  auto domain = std::make_unique<Domain>(fabric, fid, native->domain_attr->mr_mode);
  return Napi::Number::New(info.Env(), environment.domains.Add(std::move(domain)));
}

// int fi_close(struct fid *fid)
Napi::Value DomainClose(const Napi::CallbackInfo& info) {
  Environment& environment = EnvironmentOf(info);
  Domain* domain = environment.domains.Get(info[0].As<Napi::Number>().Int32Value());
  // The domain's registrations of JavaScript memory go with it; the last endpoint that could use them has gone before.
  if (domain && domain->children == 0) {
    environment.memories.ForEach([domain](Memory& memory) { memory.Deregister(domain); });
  }
  return CloseHandle(info, environment.domains, [](Domain& object) { return object.Close(&object.fid->fid); });
}

}  // namespace

void ExportDomain(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "domainOpen", DomainOpen);
  Export(env, exports, environment, "domainClose", DomainClose);
}

}  // namespace node_libfabric
