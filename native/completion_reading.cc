// Reading completions on behalf of JavaScript: the hot path of both doors.
#include <sched.h>
#include <time.h>

#include "arguments.h"
#include "completion_queue.h"
#include "environment.h"

namespace node_libfabric {
namespace {

// A spin that takes longer offers its core: the peer may be waiting for this very one, and would get it only at the
// next tick of the scheduler, milliseconds later.
constexpr int64_t kSpinBeforeYielding = 20'000;

// completionQueueTakeWaiting(queue, batchMemory, capacity): number
// Completions of the promise door that were set aside. Does not touch the provider, which may not survive being asked
// for progress right after one of its endpoints was closed (libfabric 1.17's net: a connection that was about to be
// accepted).
Napi::Value CompletionQueueTakeWaiting(const Napi::CallbackInfo& info) {
  CompletionQueue* queue = EnvironmentOf(info).completion_queues.Get(info[0].As<Napi::Number>().Int32Value());
  Memory* memory = EnvironmentOf(info).memories.Get(info[1].As<Napi::Number>().Int32Value());
  int capacity = info[2].As<Napi::Number>().Int32Value();
  if (!queue || !memory) return Napi::Number::New(info.Env(), -FI_EBADF);
  size_t needed = CompletionArrays::kBytesPerEntry * static_cast<size_t>(capacity);
  if (capacity <= 0 || memory->length() < needed) return Napi::Number::New(info.Env(), -FI_EINVAL);
  return Napi::Number::New(info.Env(), queue->TakeWaiting(Door::kPromise, CompletionArrays(memory->At(0), capacity)));
}

int64_t Nanoseconds() {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000ll + now.tv_nsec;
}

// completionQueueRead(queue, batchMemory, capacity, spinNanoseconds, promiseDoor): number
// The hot path: how many entries were filled, or a negative code. Bit 30 says that completions of the promise door are
// waiting too, which JavaScript then fetches with another read.
constexpr int32_t kPromisesWaiting = 1 << 30;

napi_value CompletionQueueRead(napi_env env, napi_callback_info info) {
  size_t argc = 5;
  napi_value argv[5];
  void* data;
  napi_get_cb_info(env, info, &argc, argv, nullptr, &data);
  auto& environment = *static_cast<Environment*>(data);
  CompletionQueue* queue = environment.completion_queues.Get(Int32Argument(env, argv[0], -1));
  Memory* memory = environment.memories.Get(Int32Argument(env, argv[1], -1));
  int32_t capacity = Int32Argument(env, argv[2], 0);
  if (!queue || !memory) return Int32Result(env, -FI_EBADF);
  size_t needed = CompletionArrays::kBytesPerEntry * static_cast<size_t>(capacity);
  if (capacity <= 0 || memory->length() < needed) return Int32Result(env, -FI_EINVAL);
  int64_t spin = Int64Argument(env, argv[3], 0);
  bool promise_door = false;
  napi_get_value_bool(env, argv[4], &promise_door);

  CompletionArrays arrays(memory->At(0), capacity);
  Door door = promise_door ? Door::kPromise : Door::kBatch;
  int count = queue->Read(door, arrays);
  if (count == 0 && spin > 0) {
    int64_t now = Nanoseconds();
    int64_t deadline = now + spin;
    int64_t patience = now + kSpinBeforeYielding;
    do {
      for (int i = 0; i < 16 && count == 0; i++) count = queue->Read(door, arrays);
      now = Nanoseconds();
      if (count == 0 && now > patience) sched_yield();
      // A completion for the other door is a reason to return as well: somebody awaits it.
    } while (count == 0 && !queue->HasWaiting(Door::kPromise) && now < deadline);
  }
  if (count >= 0 && !promise_door && queue->HasWaiting(Door::kPromise)) count |= kPromisesWaiting;
  return Int32Result(env, count);
}

}  // namespace

void ExportCompletionReading(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "completionQueueTakeWaiting", CompletionQueueTakeWaiting);
  ExportRaw(env, exports, environment, "completionQueueRead", CompletionQueueRead);
}

}  // namespace node_libfabric
