// The processors that the calling thread may run on: sched_setaffinity(2). Measurements pin themselves.
#include "affinity.h"

#include <sched.h>

#include <cerrno>
#include <vector>

#include "environment.h"

namespace node_libfabric {
namespace {

// threadAffinity(): number[] | number. The processors of this thread, or a negative error number.
Napi::Value ThreadAffinity(const Napi::CallbackInfo& info) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return Napi::Number::New(info.Env(), -errno);
  Napi::Array processors = Napi::Array::New(info.Env());
  for (uint32_t processor = 0; processor < CPU_SETSIZE; processor++) {
    if (CPU_ISSET(processor, &set)) processors.Set(processors.Length(), processor);
  }
  return processors;
}

// setThreadAffinity(processors): 0, or a negative error number.
Napi::Value SetThreadAffinity(const Napi::CallbackInfo& info) {
  Napi::Array processors = info[0].As<Napi::Array>();
  cpu_set_t set;
  CPU_ZERO(&set);
  for (uint32_t i = 0; i < processors.Length(); i++) {
    uint32_t processor = processors.Get(i).As<Napi::Number>().Uint32Value();
    if (processor < CPU_SETSIZE) CPU_SET(processor, &set);
  }
  return Napi::Number::New(info.Env(), sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : -errno);
}

}  // namespace

void ExportAffinity(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "threadAffinity", ThreadAffinity);
  Export(env, exports, environment, "setThreadAffinity", SetThreadAffinity);
}

}  // namespace node_libfabric
