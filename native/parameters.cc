// What libfabric and its providers read from the environment.
#include <rdma/fi_errno.h>

#include "environment.h"
#include "libfabric.h"
#include "signal_guard.h"

namespace node_libfabric {
namespace {

// parametersGet(): { name, type, help, value? }[] or a negative libfabric code
//
// int fi_getparams(struct fi_param **params, int *count)
// void fi_freeparams(struct fi_param *params)
Napi::Value ParametersGet(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  struct fi_param* parameters = nullptr;
  int count = 0;
  int result;
  {
    std::lock_guard<std::mutex> guard(DiscoveryLock());
    SignalGuard signals(SignalGuard::Restore::kAll);  // the first call initialises the providers
    result = fi_getparams(&parameters, &count);
  }
  if (result) return Napi::Number::New(env, result);
  auto list = Napi::Array::New(env);
  for (int i = 0; i < count; i++) {
    auto entry = Napi::Object::New(env);
    entry.Set("name", parameters[i].name);
    entry.Set("type", Napi::Number::New(env, parameters[i].type));
    entry.Set("help", parameters[i].help_string ? parameters[i].help_string : "");
    if (parameters[i].value) entry.Set("value", parameters[i].value);
    list.Set(list.Length(), entry);
  }
  fi_freeparams(parameters);
  return list;
}

}  // namespace

void ExportParameters(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "parametersGet", ParametersGet);
}

}  // namespace node_libfabric
