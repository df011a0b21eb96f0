// Module entry: one Environment per JavaScript environment, and its orderly end.
#include <napi.h>

#include <memory>

#include "environment.h"

namespace node_libfabric {

void Environment::ProgressClosed() {
  progress_objects--;
  FinishClosing();
}

void Environment::CloseAll(std::function<void()> done) {
  connection_requests.Clear();
  endpoints.Clear();
  passive_endpoints.Clear();
  event_queues.Clear();
  completion_queues.Clear();
  address_vectors.Clear();
  memories.Clear();
  domains.Clear();
  fabrics.Clear();
  on_all_closed_ = std::move(done);
  FinishClosing();
}

void Environment::FinishClosing() {
  if (progress_objects > 0 || !on_all_closed_) return;
  // Moved out first: `done` destroys this object.
  std::function<void()> done = std::move(on_all_closed_);
  done();
}

namespace {

// The environment is dying (worker terminated, process exiting), possibly with operations in flight. JavaScript runs no
// more. libuv's handles close asynchronously, which is why this is an asynchronous hook.
void OnTeardown(napi_async_cleanup_hook_handle hook, void* data) {
  auto* environment = static_cast<Environment*>(data);
  environment->CloseAll([hook, environment] {
    delete environment;
    napi_remove_async_cleanup_hook(hook);
  });
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  auto* environment = new Environment(env);
  napi_add_async_cleanup_hook(env, OnTeardown, environment, nullptr);
  exports.Set("version", NODE_LIBFABRIC_VERSION);
  ExportLibrary(env, exports, environment);
  ExportInfo(env, exports, environment);
  ExportFabric(env, exports, environment);
  ExportDomain(env, exports, environment);
  ExportAddressVector(env, exports, environment);
  ExportCompletionQueue(env, exports, environment);
  ExportProgress(env, exports, environment);
  ExportEndpoint(env, exports, environment);
  ExportEventQueue(env, exports, environment);
  ExportPassiveEndpoint(env, exports, environment);
  ExportConnection(env, exports, environment);
  ExportMessage(env, exports, environment);
  ExportMemory(env, exports, environment);
  return exports;
}

}  // namespace

NODE_API_MODULE(node_libfabric, Init)

}  // namespace node_libfabric
