// Reading completions on behalf of JavaScript: the hot path of both doors.
#include "arguments.h"
#include "completion_queue.h"
#include "core_sharing.h"
#include "environment.h"
#include "post_batch.h"

namespace node_libfabric {
namespace {

// (queue, batchMemory, …)
struct ReadArguments {
  ReadArguments(napi_env env, napi_callback_info info, size_t count) {
    void* data;
    napi_get_cb_info(env, info, &count, argv, nullptr, &data);
    environment = static_cast<Environment*>(data);
    queue = environment->completion_queues.Get(Int32Argument(env, argv[0], -1));
    Memory* memory = environment->memories.Get(Int32Argument(env, argv[1], -1));
    if (!queue || !memory) {
      error = -FI_EBADF;
      return;
    }
    size_t capacity = memory->length() / CompletionArrays::kBytesPerEntry;
    if (capacity == 0 || capacity > INT32_MAX) {
      error = -FI_EINVAL;
      return;
    }
    arrays = CompletionArrays(memory->At(0), static_cast<int>(capacity));
  }

  napi_value argv[4];
  Environment* environment;
  CompletionQueue* queue;
  CompletionArrays arrays;
  int error = 0;
};

// completionQueueTakeWaiting(queue, batchMemory): number
// Completions of the promise door that were set aside. Does not touch the provider, which may not survive being asked
// for progress right after one of its endpoints was closed (libfabric 1.17's net: a connection that was about to be
// accepted).
napi_value CompletionQueueTakeWaiting(napi_env env, napi_callback_info info) {
  ReadArguments arguments(env, info, 2);
  if (arguments.error) return Int32Result(env, arguments.error);
  return Int32Result(env, arguments.queue->TakeWaiting(Door::kPromise, arguments.arrays));
}

// completionQueueReadPromises(queue, batchMemory): number
// Completions of the promise door: how many entries were filled, or a negative code.
napi_value CompletionQueueReadPromises(napi_env env, napi_callback_info info) {
  ReadArguments arguments(env, info, 2);
  if (arguments.error) return Int32Result(env, arguments.error);
  return Int32Result(env, arguments.queue->Read(Door::kPromise, arguments.arrays));
}

// completionQueueRead(queue, batchMemory, spinNanoseconds, postsMemory): number
// The hot path, in one crossing: posts what is in `postsMemory` (-1: nothing), then reads completions of the batch
// door. How many entries were filled, or a negative code. Bit 30 says that completions of the promise door are waiting
// too, which JavaScript then fetches; bit 29, alone, that a post was refused, as `postsMemory` has it.
constexpr int32_t kPromisesWaiting = 1 << 30;
constexpr int32_t kPostRefused = 1 << 29;

napi_value CompletionQueueRead(napi_env env, napi_callback_info info) {
  ReadArguments arguments(env, info, 4);
  if (arguments.error) return Int32Result(env, arguments.error);
  CompletionQueue* queue = arguments.queue;
  Environment& environment = *arguments.environment;
  const CompletionArrays& arrays = arguments.arrays;
  int64_t spin = Int64Argument(env, arguments.argv[2], 0);
  int32_t posts_handle = Int32Argument(env, arguments.argv[3], -1);
  Memory* posts_memory = environment.memories.Get(posts_handle);
  if (!posts_memory && posts_handle != -1) return Int32Result(env, -FI_EBADF);
  PostBatch posts(posts_memory);

  if (posts.Run(environment)) return Int32Result(env, kPostRefused);
  int count = queue->Read(Door::kBatch, arrays);
  if (count == 0 && spin > 0) {
    int64_t now = Nanoseconds();
    int64_t deadline = now + spin;
    environment.core.Begin(now);
    do {
      for (int i = 0; i < 16 && count == 0; i++) count = queue->Read(Door::kBatch, arrays);
      if (count == 0 && posts.HasMore() && posts.Run(environment)) return Int32Result(env, kPostRefused);
      now = Nanoseconds();
      if (count == 0) environment.core.Offer(now);
      // A completion for the other door is a reason to return as well: somebody awaits it.
    } while (count == 0 && !queue->HasWaiting(Door::kPromise) && now < deadline);
    if (count > 0) environment.core.Came();
  }
  if (count >= 0 && queue->HasWaiting(Door::kPromise)) count |= kPromisesWaiting;
  return Int32Result(env, count);
}

}  // namespace

void ExportCompletionReading(Napi::Env env, Napi::Object exports, Environment* environment) {
  ExportRaw(env, exports, environment, "completionQueueTakeWaiting", CompletionQueueTakeWaiting);
  ExportRaw(env, exports, environment, "completionQueueReadPromises", CompletionQueueReadPromises);
  ExportRaw(env, exports, environment, "completionQueueRead", CompletionQueueRead);
}

}  // namespace node_libfabric
