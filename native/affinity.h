// The processors that a thread may run on.
#pragma once

#include <napi.h>

namespace node_libfabric {

class Environment;

void ExportAffinity(Napi::Env env, Napi::Object exports, Environment* environment);

}  // namespace node_libfabric
