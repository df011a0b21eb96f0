// Ends a process whose JavaScript no longer runs.
#pragma once

#include <napi.h>

namespace node_libfabric {

class Environment;

void ExportWatchdog(Napi::Env env, Napi::Object exports, Environment* environment);

}  // namespace node_libfabric
