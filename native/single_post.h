// The operations with one buffer, which the batch door is made of: one at a time, or many in one call.
#pragma once

#include "post.h"

namespace node_libfabric {

// lib/binding.ts has the same numbers.
enum class PostKind : int32_t { kSend, kRecv, kTsend, kTrecv, kInject, kRead, kWrite };

// What some kinds need besides: tag and ignored bits, or the address and key of a peer's memory.
struct WireValues {
  uint64_t first;
  uint64_t second;
};

// Returns the slot of the operation, 0 for an injected one, or a negative libfabric code (-FI_EAGAIN: full).
// `user_context` is -1 in the promise door.
int32_t PostSingle(Post& post, PostKind kind, const WireValues& values, int64_t user_context);

// fi_inject and fi_injectdata (`data` is null or the data) for endpoints with prefixes: of the providers, efa has no
// such functions, and says how much it injects. Sends a copy. Returns 0 or a negative libfabric code.
int32_t InjectWithPrefix(Post& post, const uint64_t* data);

}  // namespace node_libfabric
