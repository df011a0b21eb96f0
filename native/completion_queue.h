// struct fid_cq, and the operations whose completions it will deliver.
#pragma once

#include <rdma/fi_eq.h>

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

#include "core_sharing.h"
#include "domain.h"
#include "operation.h"

namespace node_libfabric {

struct Environment;
class Progress;

// Where completions are written for JavaScript: parallel arrays in one buffer (lib/completion-batch.ts has the views).
struct CompletionArrays {
  static constexpr size_t kBytesPerEntry = 5 * 8 + 4 * 4;

  CompletionArrays() = default;
  CompletionArrays(uint8_t* base, int count) : capacity(count) {
    size_t n = static_cast<size_t>(count);
    length = reinterpret_cast<double*>(base);
    flags = reinterpret_cast<uint64_t*>(base + 8 * n);
    data = reinterpret_cast<uint64_t*>(base + 16 * n);
    tag = reinterpret_cast<uint64_t*>(base + 24 * n);
    offset = reinterpret_cast<double*>(base + 32 * n);
    context = reinterpret_cast<uint32_t*>(base + 40 * n);
    error = reinterpret_cast<int32_t*>(base + 44 * n);
    provider_error = reinterpret_cast<int32_t*>(base + 48 * n);
    source = reinterpret_cast<int32_t*>(base + 52 * n);
  }

  int capacity = 0;
  double* length;
  uint64_t* flags;
  uint64_t* data;
  uint64_t* tag;
  double* offset;     // multi-receive: where in the backing store the message is
  uint32_t* context;  // promise door: the operation's slot; batch door: the caller's context
  int32_t* error;     // 0, or a positive libfabric errno
  int32_t* provider_error;
  int32_t* source;  // FI_SOURCE: the sender's index in the address vector, -1 when unknown
};

// The slot of a completion that no operation here asked for: a peer wrote with immediate data.
constexpr uint32_t kNoOperation = UINT32_MAX;

struct CompletionQueue {
  CompletionQueue(Environment* owner, Domain* parent, struct fid_cq* cq, bool has_descriptor, bool tagged_entries);
  ~CompletionQueue();
  CompletionQueue(const CompletionQueue&) = delete;
  CompletionQueue& operator=(const CompletionQueue&) = delete;

  // Drains completions of one door into `out`, keeping those of the other door for their reader. Returns how many, or a
  // negative libfabric code when the queue itself has failed.
  int Read(Door door, const CompletionArrays& out);

  // The same of what was read or given up before, without asking the provider.
  int TakeWaiting(Door door, const CompletionArrays& out);

  // Lets the provider go on, and keeps what has completed for who reads it.
  void Collect();

  // Gives up what is in flight on `endpoint`, which has been closed: each
  // operation completes with FI_ECANCELED.
  void CancelOperationsOf(Endpoint* endpoint);

  // efa whose datagrams have no tags loses a completion where it polls more than these at once (libfabric 1.17 to 2.0:
  // efa_cq_readfrom).
  static constexpr size_t kMostUntagged = 500;
  bool IsFull() const { return !has_tags && operations.taken() >= kMostUntagged; }

  // nullptr when as many operations are in flight as the endpoint's context has room for: some providers lose what is
  // beyond that (udp;ofi_rxd) instead of saying -FI_EAGAIN. `claimed` is one of the endpoint's, which is used again.
  Operation* Begin(Endpoint* endpoint, Direction direction, Memory* memory, int32_t memory_handle, Door door,
                   uint32_t user_context, Operation* claimed = nullptr);
  // The post failed: nothing will complete. What was claimed stays so.
  void Abandon(Operation* operation, bool is_claimed = false);

  // The provider's words for an error of its own, with `data` of the completion or null.
  std::string Describe(int provider_error, const void* data) const;

  // What the provider said of a failed operation of the promise door; taken once.
  std::string TakeErrorText(uint32_t slot);

  // Each look takes a lock that peers need in order to send (shm). Where nothing has come since `begun` for a while,
  // they have it for a moment.
  bool LocksPeersOut() const { return domain->fabric->is_shared_memory; }
  void LetPeersIn(int64_t begun, int64_t now) const {
    constexpr int64_t kEager = 20'000;
    constexpr int64_t kMoment = 400;
    if (now - begun < kEager || !LocksPeersOut()) return;
    while (Nanoseconds() - now < kMoment) Relax();
  }

  bool HasWaiting(Door door) const { return !waiting_[static_cast<int>(door)].empty(); }

  Environment* environment;
  Domain* domain;
  struct fid_cq* fid;
  bool has_tags;        // FI_CQ_FORMAT_TAGGED, else FI_CQ_FORMAT_DATA
  int descriptor = -1;  // wait file descriptor, -1 where the provider has none
  // Endpoints that are bound but not enabled. Some providers do not survive a read meanwhile (shm: it has no region
  // yet).
  int unready = 0;
  bool cannot_wait = false;  // on its descriptor: Fabric::waits_for_closed_endpoints
  Progress* progress = nullptr;
  Memory* ring = nullptr;  // where `progress` writes
  int32_t ring_handle = -1;
  int children = 0;           // bound endpoints
  bool wants_source = false;  // a bound endpoint has FI_SOURCE

  // Since it was opened; CompletionQueueStats of lib/completion-queue-stats.ts.
  struct {
    double polls = 0;        // how often the provider was asked
    double empty_polls = 0;  // and had nothing
    double completions = 0;
    double spins = 0;     // turns of the event loop that polled without sleeping
    double wake_ups = 0;  // by the descriptor
    double timers = 0;    // polls by a timer
  } counts;
  OperationTable operations;

 private:
  struct Entry {
    uint64_t length, flags, data, tag;
    double offset;
    uint32_t context;
    int32_t error, provider_error, source;
  };

  int Drain(Door door, const CompletionArrays& out);
  static void Write(const CompletionArrays& out, int index, const Entry& entry);
  int ReadError(Entry* entry, Door* door);
  static uint32_t ContextOf(const Operation* operation);
  void End(Operation* operation);
  void Finish(Operation* operation);
  void UnpinAll(Operation* operation);
  void Deliver(Door door, const CompletionArrays& out, int* count, Operation* operation, Entry entry);
  void Unpin(Memory* memory, int32_t handle);

  std::deque<Entry> waiting_[2];  // read on behalf of the other door
  std::unordered_map<uint32_t, std::string> error_texts_;
};

}  // namespace node_libfabric
