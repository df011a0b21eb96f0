// What one JavaScript environment (the main thread or a worker) owns. Environments share nothing but the loaded
// library.
#pragma once

#include <napi.h>

#include <functional>

#include "address_vector.h"
#include "address_vector_set.h"
#include "completion_queue.h"
#include "core_sharing.h"
#include "counter.h"
#include "domain.h"
#include "endpoint.h"
#include "event_queue.h"
#include "fabric.h"
#include "handle_table.h"
#include "mapping.h"
#include "memory.h"
#include "memory_region.h"
#include "passive_endpoint.h"

namespace node_libfabric {

// What JavaScript passes to completionQueueRead, and what that answers (lib/read-call.ts has the same layout).
struct ReadCall {
  int32_t queue;
  int32_t batch;  // the memory of a CompletionBatch
  int32_t posts;  // that of a PostBatch, to be posted first; -1 for none
  int32_t result;
  double spin_nanoseconds;
};

struct Environment {
  explicit Environment(napi_env owner) : env(owner) {}
  ~Environment() { *mappings_pointer = nullptr; }

  napi_env env;
  HandleTable<Fabric, Kind::kFabric> fabrics;
  HandleTable<Domain, Kind::kDomain> domains;
  HandleTable<AddressVector, Kind::kAddressVector> address_vectors;
  HandleTable<AddressVectorSetReference, Kind::kAddressVectorSet> address_vector_sets;
  HandleTable<CompletionQueue, Kind::kCompletionQueue> completion_queues;
  HandleTable<Endpoint, Kind::kEndpoint> endpoints;
  HandleTable<Memory, Kind::kMemory> memories;
  HandleTable<SharedTransmit, Kind::kSharedTransmit> shared_transmits;
  HandleTable<MemoryRegion, Kind::kMemoryRegion> memory_regions;
  HandleTable<Counter, Kind::kCounter> counters;
  Mappings mappings;
  // For ArrayBuffers that outlive the environment.
  std::shared_ptr<Mappings*> mappings_pointer = std::make_shared<Mappings*>(&mappings);
  HandleTable<EventQueue, Kind::kEventQueue> event_queues;
  HandleTable<PassiveEndpoint, Kind::kPassiveEndpoint> passive_endpoints;
  HandleTable<ConnectionRequest, Kind::kConnectionRequest> connection_requests;

  // Closes everything, children before parents, and calls `done` once libuv has let go of the last handle. For an
  // environment that dies with objects still open.
  void CloseAll(std::function<void()> done);
  void ProgressClosed();

  ReadCall no_read_call = {-1, -1, -1, 0, 0};
  ReadCall* read_call = &no_read_call;

  int spinning_queues = 0;
  CoreSharing core;
  int progress_objects = 0;  // including those that libuv still holds, and `log`
  class LogReader* log = nullptr;

 private:
  void FinishClosing();
  std::function<void()> on_all_closed_;
};

inline Environment& EnvironmentOf(const Napi::CallbackInfo& info) {
  return *static_cast<Environment*>(info.Data());
}

// Each file adds its functions to the addon's exports.
void ExportLibrary(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportDescribe(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportParameters(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportObjectCounts(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportLog(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportInfo(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportFabric(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportDomain(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportAddressVector(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportAddressVectorSet(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportCollective(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportEndpointOptions(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportGroup(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportTrafficClass(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportCompletionQueue(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportCompletionReading(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportProgress(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportEndpoint(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportContexts(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportEventQueue(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportPassiveEndpoint(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportConnection(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportMessage(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportSinglePost(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportRma(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportAtomic(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportMemory(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportMapping(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportMemoryRegion(Napi::Env env, Napi::Object exports, Environment* environment);
void ExportCounter(Napi::Env env, Napi::Object exports, Environment* environment);

template <typename Callback>
void Export(Napi::Env env, Napi::Object exports, Environment* environment, const char* name, Callback callback) {
  exports.Set(name, Napi::Function::New(env, callback, name, environment));
}

// The same for a hot function, which takes Node-API's own arguments.
inline void ExportRaw(Napi::Env env, Napi::Object exports, Environment* environment, const char* name,
                      napi_callback callback) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, environment, &function);
  exports.Set(name, function);
}

}  // namespace node_libfabric
