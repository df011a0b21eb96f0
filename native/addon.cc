// Module entry: one Environment per JavaScript environment, and its orderly end.
#include <napi.h>

#include <memory>
#include <utility>

#include "affinity.h"
#include "environment.h"
#include "log.h"
#include "watchdog.h"

namespace node_libfabric {

void Environment::ProgressClosed() {
  progress_objects--;
  FinishClosing();
}

void Environment::CloseAll(std::function<void()> done) {
  if (log) std::exchange(log, nullptr)->Close();
  // A region that is bound to an endpoint goes before it; the others may still be in use by one.
  memory_regions.ForEach([](MemoryRegion& region) {
    if (region.endpoint) region.Close();
  });
  // An endpoint may be owned by another, which closes after it: aliases by one that a context owns.
  endpoints.RemoveWhere([](const Endpoint& endpoint) { return endpoint.alias_of != nullptr; });
  endpoints.RemoveWhere([](const Endpoint& endpoint) { return endpoint.owner != nullptr; });
  connection_requests.Clear();
  endpoints.Clear();
  passive_endpoints.Clear();
  event_queues.Clear();
  shared_transmits.Clear();
  address_vector_sets.Clear();
  completion_queues.Clear();
  memory_regions.Clear();
  counters.Clear();
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
  napi_set_instance_data(env, environment, nullptr, nullptr);
  exports.Set("version", NODE_LIBFABRIC_VERSION);
  ExportLibrary(env, exports, environment);
  ExportDescribe(env, exports, environment);
  ExportParameters(env, exports, environment);
  ExportObjectCounts(env, exports, environment);
  ExportLog(env, exports, environment);
  ExportInfo(env, exports, environment);
  ExportFabric(env, exports, environment);
  ExportDomain(env, exports, environment);
  ExportAddressVector(env, exports, environment);
  ExportAddressVectorSet(env, exports, environment);
  ExportCollective(env, exports, environment);
  ExportEndpointOptions(env, exports, environment);
  ExportGroup(env, exports, environment);
  ExportTrafficClass(env, exports, environment);
  ExportCompletionQueue(env, exports, environment);
  ExportCompletionReading(env, exports, environment);
  ExportProgress(env, exports, environment);
  ExportEndpoint(env, exports, environment);
  ExportContexts(env, exports, environment);
  ExportEventQueue(env, exports, environment);
  ExportPassiveEndpoint(env, exports, environment);
  ExportConnection(env, exports, environment);
  ExportMessage(env, exports, environment);
  ExportSinglePost(env, exports, environment);
  ExportRma(env, exports, environment);
  ExportAtomic(env, exports, environment);
  ExportMemory(env, exports, environment);
  ExportMapping(env, exports, environment);
  ExportMemoryRegion(env, exports, environment);
  ExportCounter(env, exports, environment);
  ExportAffinity(env, exports, environment);
  ExportWatchdog(env, exports, environment);
  return exports;
}

}  // namespace

NODE_API_MODULE(node_libfabric, Init)

}  // namespace node_libfabric
