// What every post of an operation shares: finding the memory that it uses, keeping it in place, and undoing both when
// the provider refuses.
#pragma once

#include <napi.h>
#include <sys/uio.h>

#include <vector>

#include "arguments.h"
#include "environment.h"

namespace node_libfabric {

// The address that an index of the endpoint's address vector stands for; -1 is any source, or the connected peer.
inline int FindAddress(const Endpoint& endpoint, int32_t index, fi_addr_t* address) {
  *address = FI_ADDR_UNSPEC;
  if (index == -1) return 0;
  return endpoint.av && endpoint.av->Find(index, address) ? 0 : -FI_EINVAL;
}

// The same for an index that may also be a multicast group. Providers take a multicast address for a pointer when
// `flags` has FI_MULTICAST, and an index otherwise.
//
// fi_addr_t fi_mc_addr(struct fid_mc *mc)
inline int FindDestination(Endpoint& endpoint, int32_t index, fi_addr_t* address, uint64_t* flags) {
  *flags &= ~FI_MULTICAST;
  if (index < Groups::kFirstAddress) return FindAddress(endpoint, index, address);
  Group* group = endpoint.groups.Get(index - Groups::kFirstAddress);
  if (!group || group->IsCollective()) return -FI_EINVAL;
  *address = fi_mc_addr(group->fid);
  *flags |= FI_MULTICAST;
  return 0;
}

// The arguments of every post: (endpoint, memory, offset, length, address, context [, tag [, ignore]]).
// `address` is an index of the bound address vector, or -1 for any source. `context` is -1 in the promise door.
struct Post {
  Post(napi_env env, napi_callback_info info) {
    size_t argc = 8;
    napi_get_cb_info(env, info, &argc, argv, nullptr, &data);
    auto& environment = *static_cast<Environment*>(data);
    endpoint = environment.endpoints.Get(Int32Argument(env, argv[0], -1));
    memory_handle = Int32Argument(env, argv[1], -1);
    memory = environment.memories.Get(memory_handle);
    if (!endpoint || !endpoint->enabled || !memory) {
      error = -FI_EBADF;
      return;
    }
    int64_t offset = Int64Argument(env, argv[2], -1);
    int64_t bytes = Int64Argument(env, argv[3], -1);
    if (!memory->Contains(offset, bytes)) {
      error = -FI_EINVAL;
      return;
    }
    buffer = memory->At(offset);
    length = static_cast<size_t>(bytes);
    error = FindAddress(*endpoint, Int32Argument(env, argv[4], -2), &address);
    if (error) return;
    error = memory->Describe(endpoint->domain, buffer, length, &descriptor);
  }

  // Posts through `call(context)`. Returns the operation's slot, or a negative libfabric code (-FI_EAGAIN: full).
  template <typename Call>
  napi_value Run(napi_env env, Direction direction, Call call) {
    if (error) return Int32Result(env, error);
    int64_t context = Int64Argument(env, argv[5], -1);
    Door door = context < 0 ? Door::kPromise : Door::kBatch;
    CompletionQueue* queue = endpoint->queue;
    Operation* operation =
        queue->Begin(endpoint, direction, memory, memory_handle, door, static_cast<uint32_t>(context));
    if (!operation) return Int32Result(env, -FI_EAGAIN);
    operation->start = buffer;
    operation->length = length;
    ssize_t result = call(&operation->context);
    if (result) {
      queue->Abandon(operation);
      return Int32Result(env, static_cast<int32_t>(result));
    }
    return Int32Result(env, static_cast<int32_t>(operation->slot));
  }

  napi_value argv[8];
  void* data;
  Endpoint* endpoint;
  Memory* memory;
  int32_t memory_handle;
  uint8_t* buffer = nullptr;
  size_t length = 0;
  fi_addr_t address = FI_ADDR_UNSPEC;
  void* descriptor = nullptr;
  int error = 0;
};

// Parts of memories, as a post of more than one buffer has them: JavaScript gives [memory, offset, length, …].
class Segments {
 public:
  // Fills the vectors; 0 or a negative libfabric code.
  int Read(Environment& environment, Domain* domain, const Napi::Value& value) {
    auto numbers = value.As<Napi::Array>();
    uint32_t count = numbers.Length() / 3;
    for (uint32_t i = 0; i < count; i++) {
      int32_t handle = numbers.Get(3 * i).As<Napi::Number>().Int32Value();
      int64_t offset = numbers.Get(3 * i + 1).As<Napi::Number>().Int64Value();
      int64_t length = numbers.Get(3 * i + 2).As<Napi::Number>().Int64Value();
      Memory* memory = environment.memories.Get(handle);
      if (!memory) return -FI_EBADF;
      if (!memory->Contains(offset, length)) return -FI_EINVAL;
      void* descriptor;
      int result = memory->Describe(domain, memory->At(offset), static_cast<size_t>(length), &descriptor);
      if (result) return result;
      vectors.push_back({memory->At(offset), static_cast<size_t>(length)});
      descriptors.push_back(descriptor);
      pins.emplace_back(memory, handle);
    }
    return 0;
  }

  std::vector<struct iovec> vectors;
  std::vector<void*> descriptors;
  std::vector<std::pair<Memory*, int32_t>> pins;
};

// Begins an operation on `endpoint` that uses `pins`, calls `call(context)`, and returns the operation's slot or a
// negative libfabric code. `context` is -1 in the promise door; `claimed` as for CompletionQueue::Begin.
template <typename Call>
int32_t PostPinned(Endpoint* endpoint, Direction direction, const std::vector<std::pair<Memory*, int32_t>>& pins,
                   int64_t context, bool many, Call call, Operation* claimed = nullptr) {
  if (pins.empty()) return -FI_EINVAL;
  Door door = context < 0 ? Door::kPromise : Door::kBatch;
  CompletionQueue* queue = endpoint->queue;
  auto [memory, handle] = pins.front();
  auto user_context = static_cast<uint32_t>(context);
  Operation* operation = queue->Begin(endpoint, direction, memory, handle, door, user_context, claimed);
  if (!operation) return -FI_EAGAIN;
  operation->many = many;
  if (pins.size() > 1) {
    operation->more = std::make_unique<std::vector<std::pair<Memory*, int32_t>>>(pins.begin() + 1, pins.end());
    for (auto& pin : *operation->more) pin.first->in_flight++;
  }
  ssize_t result = call(&operation->context);
  if (result) {
    queue->Abandon(operation, claimed != nullptr);
    return static_cast<int32_t>(result);
  }
  return static_cast<int32_t>(operation->slot);
}

inline uint64_t Uint64Of(const Napi::Value& value) {
  if (value.IsUndefined()) return 0;
  bool lossless;
  return value.IsBigInt() ? value.As<Napi::BigInt>().Uint64Value(&lossless)
                          : static_cast<uint64_t>(value.As<Napi::Number>().Int64Value());
}

}  // namespace node_libfabric
