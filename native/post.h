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

// What became of a post. Where efa of libfabric 1.17 sends datagrams, it hands on what ibv_post_send(3) says, which is
// positive.
inline int32_t PostResult(ssize_t result) {
  if (result <= 0) return static_cast<int32_t>(result);
  return result == FI_ENOMEM ? -FI_EAGAIN : -static_cast<int32_t>(result);
}

// One operation with one buffer, checked: every handle, the bytes and the address exist. Its `error` says what does
// not.
struct Post {
  // `located` is a memory, `address_index` one of the bound address vector, or -1 for any source.
  void Find(Environment& environment, int32_t endpoint_handle, int32_t located, int64_t offset, int64_t bytes,
            int32_t address_index) {
    endpoint = environment.endpoints.Get(endpoint_handle);
    memory_handle = located;
    memory = environment.memories.Get(located);
    if (!endpoint || !endpoint->enabled || !memory) {
      error = -FI_EBADF;
      return;
    }
    if (!memory->Contains(offset, bytes)) {
      error = -FI_EINVAL;
      return;
    }
    buffer = memory->At(offset);
    length = static_cast<size_t>(bytes);
    error = FindAddress(*endpoint, address_index, &address);
    if (!error) error = memory->Describe(endpoint->domain, buffer, length, &descriptor);
  }

  // Posts through `call(context)`. Returns the operation's slot, or a negative libfabric code (-FI_EAGAIN: full).
  // `user_context` is -1 in the promise door.
  template <typename Call>
  int32_t Begin(Direction direction, int64_t user_context, Call call) {
    Door door = user_context < 0 ? Door::kPromise : Door::kBatch;
    CompletionQueue* queue = endpoint->queue;
    Operation* operation =
        queue->Begin(endpoint, direction, memory, memory_handle, door, static_cast<uint32_t>(user_context));
    if (!operation) return -FI_EAGAIN;
    operation->start = buffer;
    operation->length = length;
    ssize_t result = call(&operation->context);
    if (result) {
      queue->Abandon(operation);
      return PostResult(result);
    }
    return static_cast<int32_t>(operation->slot);
  }

  Endpoint* endpoint;
  Memory* memory;
  int32_t memory_handle;
  uint8_t* buffer = nullptr;
  size_t length = 0;
  fi_addr_t address = FI_ADDR_UNSPEC;
  void* descriptor = nullptr;
  int error = 0;
};

// A post from the arguments of a call: (endpoint, memory, offset, length, address, …), three more at most.
struct PostArguments : Post {
  PostArguments(napi_env env, napi_callback_info info) {
    size_t argc = 8;
    void* data;
    napi_get_cb_info(env, info, &argc, argv, nullptr, &data);
    Find(*static_cast<Environment*>(data), Int32Argument(env, argv[0], -1), Int32Argument(env, argv[1], -1),
         Int64Argument(env, argv[2], -1), Int64Argument(env, argv[3], -1), Int32Argument(env, argv[4], -2));
  }

  napi_value argv[8];
};

// Providers without such messages have no table of their operations. Those that have one expect that the endpoint was
// opened for it: what net of libfabric 1.17 sends with it all the same, its receiver does not survive (xnet_op_tagged).
inline int CheckMessages(const Endpoint* endpoint, bool is_tagged) {
  // Nobody has tags and FI_MSG_PREFIX.
  bool has = is_tagged ? endpoint->fid->tagged && (endpoint->caps & FI_TAGGED) && !endpoint->original()->prefixes
                       : endpoint->fid->msg && (endpoint->caps & FI_MSG);
  return has ? 0 : -FI_EOPNOTSUPP;
}

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

  // Makes room for a prefix, which is known when the operation has begun.
  void AddFront() {
    vectors.insert(vectors.begin(), iovec{});
    descriptors.insert(descriptors.begin(), nullptr);
  }
  void SetFront(const Prefix& prefix) {
    vectors.front() = prefix.bytes;
    descriptors.front() = prefix.descriptor;
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
    return PostResult(result);
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
