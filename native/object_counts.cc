// How many native objects an environment has: for tests, which want none to be left.
#include "environment.h"

namespace node_libfabric {
namespace {

// objectCounts(): { [kind]: number }
Napi::Value ObjectCounts(const Napi::CallbackInfo& info) {
  const Environment& environment = EnvironmentOf(info);
  auto counts = Napi::Object::New(info.Env());
  auto set = [&counts](const char* kind, size_t count) { counts.Set(kind, static_cast<double>(count)); };
  set("fabrics", environment.fabrics.Count());
  set("domains", environment.domains.Count());
  set("addressVectors", environment.address_vectors.Count());
  set("addressVectorSets", environment.address_vector_sets.Count());
  set("completionQueues", environment.completion_queues.Count());
  set("endpoints", environment.endpoints.Count());
  set("sharedTransmits", environment.shared_transmits.Count());
  set("memoryRegions", environment.memory_regions.Count());
  set("counters", environment.counters.Count());
  set("eventQueues", environment.event_queues.Count());
  set("passiveEndpoints", environment.passive_endpoints.Count());
  set("connectionRequests", environment.connection_requests.Count());
  // What watches queues from the event loop, and the reader of the log: they take a turn to go.
  set("watches", static_cast<size_t>(environment.progress_objects));

  // In flight, and what keeps memory in place: each buffer of an operation, a region, a queue's ring.
  size_t operations = 0;
  environment.completion_queues.ForEach([&operations](CompletionQueue& queue) {
    queue.operations.ForEachInFlight([&operations](Operation*) { operations++; });
  });
  set("operations", operations);
  size_t pins = 0;
  environment.memories.ForEach([&pins](const Memory& memory) { pins += static_cast<size_t>(memory.in_flight); });
  set("pins", pins);
  // Of the process: shm's objects that wait for a neighbour to go.
  set("waitingToClose", shared_memory::CountWaiting());
  // One for each ArrayBuffer that an operation has ever used, until that is collected.
  set("memories", environment.memories.Count());
  return counts;
}

}  // namespace

void ExportObjectCounts(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "objectCounts", ObjectCounts);
}

}  // namespace node_libfabric
