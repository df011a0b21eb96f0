// One operation in flight, from its post until its completion.
#pragma once

#include <rdma/fabric.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

namespace node_libfabric {

class Memory;
struct Endpoint;
struct Prefix;

// Through which door an operation was posted, and so through which its completion leaves.
enum class Door : uint8_t { kPromise, kBatch };

enum class Direction : uint8_t { kTransmit, kReceive };

struct Operation {
  // First, so that the context which libfabric hands back is the operation itself. Its size serves FI_CONTEXT and
  // FI_CONTEXT2 alike.
  struct fi_context2 context;
  Endpoint* endpoint;
  Memory* memory;
  const uint8_t* start;  // of its bytes in `memory`; null for all of it
  size_t length;
  int32_t memory_handle;
  uint32_t slot;          // index in the table
  uint32_t user_context;  // batch door: what the caller passed
  Door door;
  Direction direction;
  bool in_flight;
  bool many;  // FI_MULTI_RECV: completes for each message, and is over when a completion has that flag
  // FI_PEEK with FI_CLAIM: the provider keeps what it found in `context`, for the receive that has this context again.
  bool claims;
  uint64_t tag;          // of the message that it has claimed
  const Prefix* prefix;  // what precedes its bytes where the provider has FI_MSG_PREFIX, else null
  bool silent;           // nobody hears of its end: what was injected where the provider has no fi_inject
  // Whether it completes once, for a reader of `reader`.
  bool IsSimple(Door reader) const { return door == reader && !many && !claims && !silent; }
  // Further memories that it uses: vectors, results and comparands of atomics.
  std::unique_ptr<std::vector<std::pair<Memory*, int32_t>>> more;
};

// Operations of one completion queue. They never move, since libfabric holds their addresses.
class OperationTable {
 public:
  Operation* Take() {
    if (free_.empty()) Grow();
    if (free_.empty()) return nullptr;
    Operation* operation = free_.back();
    free_.pop_back();
    operation->in_flight = true;
    taken_++;
    return operation;
  }

  void Free(Operation* operation) {
    taken_--;
    operation->in_flight = false;
    free_.push_back(operation);
  }

  // For an operation that was given up without a completion (its endpoint was closed): it is set aside for long enough
  // that a late completion finds nothing instead of another operation.
  void Retire(Operation* operation) {
    taken_--;
    operation->in_flight = false;
    retired_.push_back(operation);
    if (retired_.size() <= kRetirement) return;
    free_.push_back(retired_.front());
    retired_.pop_front();
  }

  // How many have begun and not ended.
  size_t taken() const { return taken_; }

  Operation* At(uint32_t slot) {
    if (slot >= chunks_.size() * kChunk) return nullptr;
    Operation* operation = &chunks_[slot / kChunk][slot % kChunk];
    return operation->in_flight ? operation : nullptr;
  }

  // Whether libfabric's word for an operation, which a provider may have from a peer, is one of these.
  bool Owns(const Operation* operation) const {
    for (auto& chunk : chunks_) {
      if (operation >= chunk.get() && operation < chunk.get() + kChunk) return true;
    }
    return false;
  }

  template <typename Visit>
  void ForEachInFlight(Visit visit) {
    for (auto& chunk : chunks_) {
      for (size_t i = 0; i < kChunk; i++) {
        if (chunk[i].in_flight) visit(&chunk[i]);
      }
    }
  }

 private:
  static constexpr size_t kChunk = 128;
  static constexpr size_t kRetirement = 1024;
  static constexpr size_t kLimit = 1u << 22;

  void Grow() {
    size_t base = chunks_.size() * kChunk;
    if (base >= kLimit) return;
    chunks_.push_back(std::make_unique<Operation[]>(kChunk));
    for (size_t i = kChunk; i-- > 0;) {
      chunks_.back()[i].slot = static_cast<uint32_t>(base + i);
      free_.push_back(&chunks_.back()[i]);
    }
  }

  size_t taken_ = 0;
  std::vector<std::unique_ptr<Operation[]>> chunks_;
  std::vector<Operation*> free_;
  std::deque<Operation*> retired_;
};

}  // namespace node_libfabric
