// Reading completions on behalf of JavaScript: the hot path of both doors.
#include "arguments.h"
#include "completion_queue.h"
#include "core_sharing.h"
#include "environment.h"
#include "post_batch.h"

namespace node_libfabric {
namespace {

// 0, or a negative libfabric code.
int FindArrays(Environment& environment, int32_t batch, CompletionArrays* arrays) {
  Memory* memory = environment.memories.Get(batch);
  if (!memory) return -FI_EBADF;
  size_t capacity = memory->length() / CompletionArrays::kBytesPerEntry;
  if (capacity == 0 || capacity > INT32_MAX) return -FI_EINVAL;
  *arrays = CompletionArrays(memory->At(0), static_cast<int>(capacity));
  return 0;
}

// (queue, batchMemory)
struct ReadArguments {
  ReadArguments(napi_env env, napi_callback_info info) {
    napi_value argv[2];
    size_t count = 2;
    void* data;
    napi_get_cb_info(env, info, &count, argv, nullptr, &data);
    auto* environment = static_cast<Environment*>(data);
    queue = environment->completion_queues.Get(Int32Argument(env, argv[0], -1));
    error = queue ? FindArrays(*environment, Int32Argument(env, argv[1], -1), &arrays) : -FI_EBADF;
  }

  CompletionQueue* queue;
  CompletionArrays arrays;
  int error;
};

// completionQueueTakeWaiting(queue, batchMemory): number
// Completions of the promise door that were set aside. Does not touch the provider, which may not survive being asked
// for progress right after one of its endpoints was closed (libfabric 1.17's net: a connection that was about to be
// accepted).
napi_value CompletionQueueTakeWaiting(napi_env env, napi_callback_info info) {
  ReadArguments arguments(env, info);
  if (arguments.error) return Int32Result(env, arguments.error);
  return Int32Result(env, arguments.queue->TakeWaiting(Door::kPromise, arguments.arrays));
}

// completionQueueReadPromises(queue, batchMemory): number
// Completions of the promise door: how many entries were filled, or a negative code.
napi_value CompletionQueueReadPromises(napi_env env, napi_callback_info info) {
  ReadArguments arguments(env, info);
  if (arguments.error) return Int32Result(env, arguments.error);
  return Int32Result(env, arguments.queue->Read(Door::kPromise, arguments.arrays));
}

constexpr int32_t kPromisesWaiting = 1 << 30;
constexpr int32_t kPostRefused = 1 << 29;

// Reads until there is something, also for the other door: somebody awaits it. What PostAndRead returns.
int32_t Spin(Environment& environment, CompletionQueue* queue, const CompletionArrays& arrays, PostBatch* posts,
             int64_t nanoseconds) {
  // Asking for the time takes as long as a look at some queues; at shm's it is a moment in which peers get in.
  const int looks = queue->LocksPeersOut() ? 1 : 16;
  int64_t begun = 0;
  int count = 0;
  for (;;) {
    for (int i = 0; i < looks && count == 0; i++) count = queue->Read(Door::kBatch, arrays);
    if (count > 0) environment.core.Came();
    if (count != 0 || queue->HasWaiting(Door::kPromise)) return count;
    if (posts->HasMore() && posts->Run(environment)) return kPostRefused;
    int64_t now = Nanoseconds();
    if (begun == 0) {
      begun = now;
      environment.core.Begin(now);
    } else if (now - begun < nanoseconds) {
      environment.core.Offer(now);
      queue->LetPeersIn(begun, now);
    } else {
      return 0;
    }
  }
}

// Posts, and reads completions of the batch door. How many entries were filled, or a negative code. kPromisesWaiting
// says that completions of the promise door are waiting too, which JavaScript then fetches; kPostRefused, alone, that a
// post was refused, as its memory has it.
int32_t PostAndRead(Environment& environment, const ReadCall& call) {
  CompletionQueue* queue = environment.completion_queues.Get(call.queue);
  CompletionArrays arrays;
  int error = queue ? FindArrays(environment, call.batch, &arrays) : -FI_EBADF;
  if (error) return error;
  Memory* posts_memory = environment.memories.Get(call.posts);
  if (!posts_memory && call.posts != -1) return -FI_EBADF;
  PostBatch posts(posts_memory);

  if (posts.Run(environment)) return kPostRefused;
  int count = queue->Read(Door::kBatch, arrays);
  if (count == 0 && call.spin_nanoseconds > 0) {
    count = Spin(environment, queue, arrays, &posts, static_cast<int64_t>(call.spin_nanoseconds));
    if (count == kPostRefused) return count;
  }
  if (count >= 0 && queue->HasWaiting(Door::kPromise)) count |= kPromisesWaiting;
  return count;
}

// completionQueueRead()
// The hot path, in one crossing. Its arguments and its result are in a ReadCall: for Node-API each of them costs as
// much as the reading.
napi_value CompletionQueueRead(napi_env env, napi_callback_info) {
  void* data;
  napi_get_instance_data(env, &data);
  auto* environment = static_cast<Environment*>(data);
  ReadCall& call = *environment->read_call;
  call.result = PostAndRead(*environment, call);
  return nullptr;
}

// completionQueueReadCall(buffer: ArrayBuffer)
// Where the ReadCall is from now on. The buffer is kept, and JavaScript never lets go of its bytes.
napi_value CompletionQueueReadCall(napi_env env, napi_callback_info info) {
  napi_value buffer;
  size_t count = 1;
  void* data;
  void* bytes;
  size_t length;
  napi_ref kept;
  napi_get_cb_info(env, info, &count, &buffer, nullptr, &data);
  bool is_usable = napi_get_arraybuffer_info(env, buffer, &bytes, &length) == napi_ok && length == sizeof(ReadCall) &&
                   napi_create_reference(env, buffer, 1, &kept) == napi_ok;
  if (!is_usable) return Int32Result(env, -FI_EINVAL);
  static_cast<Environment*>(data)->read_call = static_cast<ReadCall*>(bytes);
  return Int32Result(env, 0);
}

}  // namespace

void ExportCompletionReading(Napi::Env env, Napi::Object exports, Environment* environment) {
  ExportRaw(env, exports, environment, "completionQueueTakeWaiting", CompletionQueueTakeWaiting);
  ExportRaw(env, exports, environment, "completionQueueReadPromises", CompletionQueueReadPromises);
  ExportRaw(env, exports, environment, "completionQueueRead", CompletionQueueRead);
  ExportRaw(env, exports, environment, "completionQueueReadCall", CompletionQueueReadCall);
}

}  // namespace node_libfabric
