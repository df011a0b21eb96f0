// Integer handles for native objects. JavaScript holds numbers, never pointers: a stale, foreign or invented number
// finds nothing, and costs no more to look up than an array element.
#pragma once

#include <rdma/fi_errno.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace node_libfabric {

enum class Kind : int32_t {
  kFabric = 1,
  kDomain,
  kAddressVector,
  kCompletionQueue,
  kEndpoint,
  kMemory,
  kSharedTransmit,
  kAddressVectorSet,
  kMemoryRegion,
  kCounter,
  kEventQueue,
  kPassiveEndpoint,
  kConnectionRequest,
};

template <typename T, Kind kKind>
class HandleTable {
 public:
  int32_t Add(std::unique_ptr<T> object) {
    uint32_t index;
    if (free_.empty()) {
      index = static_cast<uint32_t>(entries_.size());
      if (index > kIndexMask) return -FI_ENOMEM;
      entries_.emplace_back();
    } else {
      index = free_.back();
      free_.pop_back();
    }
    entries_[index].object = std::move(object);
    return HandleOf(index);
  }

  T* Get(int32_t handle) const {
    uint32_t index = static_cast<uint32_t>(handle) & kIndexMask;
    if (index >= entries_.size() || HandleOf(index) != handle) return nullptr;
    return entries_[index].object.get();
  }

  // Removes an object without destroying it.
  std::unique_ptr<T> Take(int32_t handle) {
    if (!Get(handle)) return nullptr;
    uint32_t index = static_cast<uint32_t>(handle) & kIndexMask;
    entries_[index].generation = (entries_[index].generation + 1) & kGenerationMask;
    free_.push_back(index);
    return std::move(entries_[index].object);
  }

  void Remove(int32_t handle) { Take(handle); }

  size_t Count() const { return entries_.size() - free_.size(); }

  template <typename Visit>
  void ForEach(Visit visit) const {
    for (const Entry& entry : entries_) {
      if (entry.object) visit(*entry.object);
    }
  }

  template <typename Predicate>
  void RemoveWhere(Predicate predicate) {
    for (Entry& entry : entries_) {
      if (entry.object && predicate(*entry.object)) entry.object.reset();
    }
  }

  void Clear() {
    entries_.clear();
    free_.clear();
  }

 private:
  // 31 bits, so that V8 keeps a handle as a small integer: 5 kind, 5 generation, 21 index.
  static constexpr uint32_t kIndexMask = (1u << 21) - 1;
  static constexpr uint32_t kGenerationMask = (1u << 5) - 1;

  struct Entry {
    std::unique_ptr<T> object;
    uint32_t generation = 0;
  };

  int32_t HandleOf(uint32_t index) const {
    return static_cast<int32_t>(static_cast<uint32_t>(kKind) << 26 | entries_[index].generation << 21 | index);
  }

  std::vector<Entry> entries_;
  std::vector<uint32_t> free_;
};

}  // namespace node_libfabric
