#include "completion_queue.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "close.h"
#include "environment.h"
#include "padded.h"
#include "progress.h"

namespace node_libfabric {

CompletionQueue::CompletionQueue(Environment* owner, Domain* parent, struct fid_cq* cq, bool has_descriptor,
                                 bool tagged_entries)
    : environment(owner), domain(parent), fid(cq), has_tags(tagged_entries) {
  domain->children++;
  if (has_descriptor && fi_control(&fid->fid, FI_GETWAIT, &descriptor)) descriptor = -1;
}

CompletionQueue::~CompletionQueue() {
  if (progress) {
    progress->Close();
    Unpin(ring, ring_handle);
  }
  if (fid) domain->Close(&fid->fid);
  operations.ForEachInFlight([this](Operation* operation) { UnpinAll(operation); });
  domain->children--;
}

void CompletionQueue::Write(const CompletionArrays& out, int index, const Entry& entry) {
  out.length[index] = static_cast<double>(entry.length);
  out.flags[index] = entry.flags;
  out.data[index] = entry.data;
  out.tag[index] = entry.tag;
  out.offset[index] = entry.offset;
  out.context[index] = entry.context;
  out.error[index] = entry.error;
  out.provider_error[index] = entry.provider_error;
  out.source[index] = entry.source;
}

int CompletionQueue::TakeWaiting(Door door, const CompletionArrays& out) {
  auto& waiting = waiting_[static_cast<int>(door)];
  int count = 0;
  while (count < out.capacity && !waiting.empty()) {
    Write(out, count++, waiting.front());
    waiting.pop_front();
  }
  return count;
}

void CompletionQueue::Unpin(Memory* memory, int32_t handle) {
  if (--memory->in_flight == 0 && memory->released) environment->memories.Remove(handle);
}

void CompletionQueue::UnpinAll(Operation* operation) {
  Unpin(operation->memory, operation->memory_handle);
  if (!operation->more) return;
  for (auto& [memory, handle] : *operation->more) Unpin(memory, handle);
  operation->more.reset();
}

uint32_t CompletionQueue::ContextOf(const Operation* operation) {
  return operation->door == Door::kPromise ? operation->slot : operation->user_context;
}

void CompletionQueue::End(Operation* operation) {
  UnpinAll(operation);
  if (operation->prefix) operation->endpoint->prefixes->Give(operation->prefix);
  operation->endpoint->in_flight[static_cast<int>(operation->direction)]--;
  operation->in_flight = false;
}

void CompletionQueue::Finish(Operation* operation) {
  End(operation);
  operations.Free(operation);
}

Operation* CompletionQueue::Begin(Endpoint* endpoint, Direction direction, Memory* memory, int32_t memory_handle,
                                  Door door, uint32_t user_context, Operation* claimed) {
  endpoint = endpoint->original();
  if (IsFull() || endpoint->IsFull(direction)) return nullptr;
  Operation* operation = claimed ? claimed : operations.Take();
  if (!operation) return nullptr;
  operation->prefix = endpoint->prefixes ? endpoint->prefixes->Take() : nullptr;
  operation->in_flight = true;
  endpoint->in_flight[static_cast<int>(direction)]++;
  operation->endpoint = endpoint;
  operation->direction = direction;
  operation->memory = memory;
  operation->memory_handle = memory_handle;
  operation->door = door;
  operation->user_context = user_context;
  operation->many = false;
  operation->claims = false;
  operation->silent = false;
  operation->start = nullptr;
  memory->in_flight++;
  return operation;
}

void CompletionQueue::Abandon(Operation* operation, bool is_claimed) {
  if (is_claimed) {
    End(operation);
  } else {
    Finish(operation);
  }
}

void CompletionQueue::CancelOperationsOf(Endpoint* endpoint) {
  for (Operation* operation : endpoint->claimed) operations.Retire(operation);
  endpoint->claimed.clear();
  operations.ForEachInFlight([this, endpoint](Operation* operation) {
    if (operation->endpoint != endpoint) return;
    if (!operation->silent) {
      waiting_[static_cast<int>(operation->door)].push_back({0, 0, 0, 0, 0, ContextOf(operation), FI_ECANCELED, 0, -1});
    }
    UnpinAll(operation);
    operations.Retire(operation);
  });
}

std::string CompletionQueue::Describe(int provider_error, const void* data) const {
  // ofi_rxm asks the first endpoint of the queue, whether there is one or not (libfabric 1.17: rxm_cq_strerror).
  bool has_endpoint = false;
  environment->endpoints.ForEach([&](const Endpoint& endpoint) {
    if (endpoint.queue == this && endpoint.fid && endpoint.enabled) has_endpoint = true;
  });
  bool is_negative = provider_error < 0 && provider_error != INT_MIN;
  if (!has_endpoint || unready > 0) return fi_strerror(is_negative ? -provider_error : provider_error);
  char text[256] = "";
  // const char *fi_cq_strerror(struct fid_cq *cq, int prov_errno, const void *err_data, char *buf, size_t len)
  const char* said = fi_cq_strerror(fid, provider_error, data, text, sizeof(text));
  return said ? said : "";
}

std::string CompletionQueue::TakeErrorText(uint32_t slot) {
  auto found = error_texts_.find(slot);
  if (found == error_texts_.end()) return "";
  std::string text = std::move(found->second);
  error_texts_.erase(found);
  return text;
}

// The failed completion behind -FI_EAVAIL. 1 when `entry` is filled, 0 when it belongs to no operation, or negative.
int CompletionQueue::ReadError(Entry* entry, Door* door) {
  Padded<struct fi_cq_err_entry> error;
  char data[256];
  error->err_data = data;
  error->err_data_size = sizeof(data);
  // ssize_t fi_cq_readerr(struct fid_cq *cq, struct fi_cq_err_entry *buf, uint64_t flags)
  ssize_t result = fi_cq_readerr(fid, error.get(), 0);
  if (result < 0) return static_cast<int>(result);
  auto* operation = static_cast<Operation*>(error->op_context);
  // An error at the target of a peer's operation has no context here, or one that is the peer's.
  if (result == 0 || !operations.Owns(operation) || !operation->in_flight) return 0;
  if (operation->silent) {
    Finish(operation);
    return 0;
  }
  *door = operation->door;
  uint32_t slot = operation->slot;
  if (*door == Door::kPromise) error_texts_[slot] = Describe(error->prov_errno, error->err_data);
  // Some providers report their errors negative, as their functions return them.
  *entry = {error->len, error->flags,         error->data,          error->tag,
            0,          ContextOf(operation), std::abs(error->err), std::abs(error->prov_errno),
            -1};
  // A multi-receive goes on after a message that did not fit, unless it is said to be over, or was cancelled.
  if (!operation->many || (error->flags & FI_MULTI_RECV) || error->err == FI_ECANCELED) Finish(operation);
  return 1;
}

void CompletionQueue::Deliver(Door door, const CompletionArrays& out, int* count, Operation* operation, Entry entry) {
  entry.context = ContextOf(operation);
  Door owner = operation->door;
  if (operation->many) {
    // A completion without the flag is a message in a buffer that goes on receiving.
    if (entry.flags & FI_MULTI_RECV) Finish(operation);
  } else if (operation->claims) {
    operation->tag = entry.tag;
    End(operation);
    operation->endpoint->claimed.push_back(operation);
  } else {
    Finish(operation);
  }
  if (owner == door) {
    Write(out, (*count)++, entry);
  } else {
    waiting_[static_cast<int>(owner)].push_back(entry);
  }
}

int CompletionQueue::Read(Door door, const CompletionArrays& out) {
  counts.polls++;
  int count = Drain(door, out);
  if (count > 0) {
    counts.completions += count;
  } else {
    counts.empty_polls++;
  }
  return count;
}

void CompletionQueue::Collect() {
  constexpr int kChunk = 64;
  alignas(8) uint8_t bytes[kChunk * CompletionArrays::kBytesPerEntry];
  CompletionArrays read(bytes, kChunk);
  auto& waiting = waiting_[static_cast<int>(Door::kBatch)];
  std::deque<Entry> kept;
  kept.swap(waiting);  // else they would be read again
  int count = Drain(Door::kBatch, read);
  for (int i = 0; i < count; i++) {
    kept.push_back({static_cast<uint64_t>(read.length[i]), read.flags[i], read.data[i], read.tag[i], read.offset[i],
                    read.context[i], read.error[i], read.provider_error[i], read.source[i]});
  }
  waiting.swap(kept);
}

namespace {

// Makes of entries in FI_CQ_FORMAT_DATA such with a tag, in place: from the end, since the new ones are longer.
void AddTags(struct fi_cq_tagged_entry* entries, ssize_t count) {
  auto* bytes = reinterpret_cast<const uint8_t*>(entries);
  for (ssize_t i = count; i-- > 0;) {
    struct fi_cq_data_entry found;
    std::memcpy(&found, bytes + static_cast<size_t>(i) * sizeof(found), sizeof(found));
    entries[i] = {found.op_context, found.flags, found.len, found.buf, found.data, 0};
  }
}

// The length of a message, in which providers count the prefix of a receive.
uint64_t PayloadLength(const Operation* operation, uint64_t length, uint64_t flags) {
  if (!operation->prefix || !(flags & FI_RECV)) return length;
  return length - std::min<uint64_t>(length, operation->prefix->bytes.iov_len);
}

}  // namespace

int CompletionQueue::Drain(Door door, const CompletionArrays& out) {
  constexpr int kChunk = 64;
  struct fi_cq_tagged_entry entries[kChunk];
  fi_addr_t sources[kChunk];
  constexpr int kMostForeignErrors = 16;
  int foreign_errors = 0;
  int count = HasWaiting(door) ? TakeWaiting(door, out) : 0;
  while (count < out.capacity && unready == 0) {
    int room = out.capacity - count < kChunk ? out.capacity - count : kChunk;
    // ssize_t fi_cq_read(struct fid_cq *cq, void *buf, size_t count)
    // ssize_t fi_cq_readfrom(struct fid_cq *cq, void *buf, size_t count, fi_addr_t *src_addr)
    ssize_t result = wants_source ? fi_cq_readfrom(fid, entries, static_cast<size_t>(room), sources)
                                  : fi_cq_read(fid, entries, static_cast<size_t>(room));
    if (result == -FI_EAGAIN || result == 0) break;
    Entry entry;
    if (result == -FI_EAVAIL) {
      Door owner;
      int read = ReadError(&entry, &owner);
      if (read == -FI_EAGAIN) break;
      if (read < 0) return count ? count : read;
      if (read == 0) {
        // shm reports a peer's request that it cannot serve again with every look.
        if (++foreign_errors == kMostForeignErrors) break;
        continue;
      }
      if (owner == door) {
        Write(out, count++, entry);
      } else {
        waiting_[static_cast<int>(owner)].push_back(entry);
      }
      continue;
    }
    if (result < 0) return count ? count : static_cast<int>(result);
    if (!has_tags) AddTags(entries, result);
    for (ssize_t i = 0; i < result; i++) {
      auto* operation = static_cast<Operation*>(entries[i].op_context);
      bool is_remote = (entries[i].flags & (FI_REMOTE_WRITE | FI_REMOTE_READ)) != 0;
      if (!is_remote && operation && operation->in_flight && operation->IsSimple(door)) {
        // Nearly all are of this kind, and take the shortest way.
        const struct fi_cq_tagged_entry& found = entries[i];
        uint32_t context = ContextOf(operation);
        // Only receives have a source; for a send the provider may leave what was there.
        int32_t source = wants_source && (found.flags & FI_RECV) ? operation->endpoint->IndexOf(sources[i]) : -1;
        uint64_t length = PayloadLength(operation, found.len, found.flags);
        Finish(operation);
        Write(out, count++, {length, found.flags, found.data, found.tag, 0, context, 0, 0, source});
        continue;
      }
      if (is_remote) {
        // What a peer did to memory here; its context is nothing of ours.
        waiting_[static_cast<int>(Door::kPromise)].push_back(
            {entries[i].len, entries[i].flags, entries[i].data, 0, 0, kNoOperation, 0, 0, -1});
        continue;
      }
      if (!operation || !operation->in_flight) continue;
      if (operation->silent) {
        Finish(operation);
        continue;
      }
      entry = {entries[i].len, entries[i].flags, entries[i].data, entries[i].tag, 0, 0, 0, 0, -1};
      // Without a buffer it is no message: the provider only says that the multi-receive is over.
      if (operation->many) entry.offset = entries[i].buf ? operation->memory->OffsetOf(entries[i].buf) : -1;
      if (wants_source && (entry.flags & FI_RECV)) entry.source = operation->endpoint->IndexOf(sources[i]);
      Deliver(door, out, &count, operation, entry);
    }
    if (result < room) break;
  }
  if (count == 0 && HasWaiting(door)) count = TakeWaiting(door, out);
  return count;
}

namespace {

CompletionQueue* Find(const Napi::CallbackInfo& info) {
  return EnvironmentOf(info).completion_queues.Get(info[0].As<Napi::Number>().Int32Value());
}

// int fi_cq_open(struct fid_domain *domain, struct fi_cq_attr *attr, struct fid_cq **cq, void *context)
Napi::Value CompletionQueueOpen(const Napi::CallbackInfo& info) {
  Environment& environment = EnvironmentOf(info);
  Domain* domain = environment.domains.Get(info[0].As<Napi::Number>().Int32Value());
  if (!domain) return Napi::Number::New(info.Env(), -FI_EBADF);
  bool want_descriptor = info[2].As<Napi::Boolean>();
  Padded<struct fi_cq_attr> attr;
  attr->size = info[1].As<Napi::Number>().Uint32Value();
  attr->format = FI_CQ_FORMAT_TAGGED;
  attr->wait_obj = want_descriptor ? FI_WAIT_FD : FI_WAIT_NONE;
  struct fid_cq* fid = nullptr;
  int result = fi_cq_open(domain->fid, attr.get(), &fid, nullptr);
  // Datagrams of efa (1.17) have no tags, and no entries with tags.
  if (result == -FI_ENOSYS) {
    attr->format = FI_CQ_FORMAT_DATA;
    result = fi_cq_open(domain->fid, attr.get(), &fid, nullptr);
  }
  if (result) return Napi::Number::New(info.Env(), result);
  bool has_tags = attr->format == FI_CQ_FORMAT_TAGGED;
  auto queue = std::make_unique<CompletionQueue>(&environment, domain, fid, want_descriptor, has_tags);
  return Napi::Number::New(info.Env(), environment.completion_queues.Add(std::move(queue)));
}

// int fi_close(struct fid *fid)
Napi::Value CompletionQueueClose(const Napi::CallbackInfo& info) {
  return CloseHandle(info, EnvironmentOf(info).completion_queues,
                     [](CompletionQueue& queue) { return queue.domain->Close(&queue.fid->fid); });
}

Napi::Value CompletionQueueDescriptor(const Napi::CallbackInfo& info) {
  CompletionQueue* queue = Find(info);
  return Napi::Number::New(info.Env(), queue ? queue->descriptor : -FI_EBADF);
}

// const char *fi_cq_strerror(struct fid_cq *cq, int prov_errno, const void *err_data, char *buf, size_t len)
Napi::Value CompletionQueueStrerror(const Napi::CallbackInfo& info) {
  CompletionQueue* queue = Find(info);
  if (!queue) return Napi::Number::New(info.Env(), -FI_EBADF);
  return Napi::String::New(info.Env(), queue->Describe(info[1].As<Napi::Number>().Int32Value(), nullptr));
}

// completionQueueStats(queue): number[]
Napi::Value CompletionQueueStats(const Napi::CallbackInfo& info) {
  CompletionQueue* queue = Find(info);
  if (!queue) return Napi::Number::New(info.Env(), -FI_EBADF);
  auto& counts = queue->counts;
  auto result = Napi::Array::New(info.Env());
  uint32_t index = 0;
  for (double count :
       {counts.polls, counts.empty_polls, counts.completions, counts.spins, counts.wake_ups, counts.timers}) {
    result.Set(index++, count);
  }
  return result;
}

Napi::Value CompletionQueueErrorText(const Napi::CallbackInfo& info) {
  CompletionQueue* queue = Find(info);
  std::string text = queue ? queue->TakeErrorText(info[1].As<Napi::Number>().Uint32Value()) : "";
  return Napi::String::New(info.Env(), text);
}

}  // namespace

void ExportCompletionQueue(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "completionQueueOpen", CompletionQueueOpen);
  Export(env, exports, environment, "completionQueueClose", CompletionQueueClose);
  Export(env, exports, environment, "completionQueueDescriptor", CompletionQueueDescriptor);
  Export(env, exports, environment, "completionQueueStrerror", CompletionQueueStrerror);
  Export(env, exports, environment, "completionQueueErrorText", CompletionQueueErrorText);
  Export(env, exports, environment, "completionQueueStats", CompletionQueueStats);
}

}  // namespace node_libfabric
