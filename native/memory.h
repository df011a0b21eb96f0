// The memory behind a JavaScript ArrayBuffer or SharedArrayBuffer, once per backing store.
//
// libfabric holds addresses while operations are in flight, and JavaScript can detach, transfer and collect the buffer
// meanwhile. A Memory shares ownership of V8's backing store, so the bytes outlive whatever JavaScript does to the
// object.
#pragma once

#include <node_api.h>
#include <rdma/fi_domain.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "domain.h"

namespace v8 {
class BackingStore;
}

namespace node_libfabric {

class Memory {
 public:
  // `mapping` is what keeps memory of our own mapped (native/mapping.h); null for memory of V8's.
  Memory(uint8_t* base, size_t length, std::shared_ptr<v8::BackingStore> store, std::shared_ptr<void> mapping)
      : base_(base), length_(length), store_(std::move(store)), mapping_(std::move(mapping)) {}
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  // Whether [offset, offset + length) lies inside.
  bool Contains(int64_t offset, int64_t length) const {
    return offset >= 0 && length >= 0 && static_cast<uint64_t>(offset) <= length_ &&
           static_cast<uint64_t>(length) <= length_ - static_cast<uint64_t>(offset);
  }
  uint8_t* At(int64_t offset) const { return base_ + offset; }
  double OffsetOf(const void* address) const {
    return static_cast<double>(static_cast<const uint8_t*>(address) - base_);
  }
  size_t length() const { return length_; }
  // Keeps the bytes in place, whatever becomes of this object.
  std::shared_ptr<void> Hold() const {
    return std::make_shared<std::pair<std::shared_ptr<v8::BackingStore>, std::shared_ptr<void>>>(store_, mapping_);
  }

  // The local descriptor that an operation of `domain` on [start, start + length) must pass where the provider wants
  // one (FI_MR_LOCAL): of a MemoryRegion that covers it, else of the whole backing store, which is registered at first
  // use. 0 or a negative libfabric code.
  int Describe(Domain* domain, const uint8_t* start, size_t length, void** descriptor) {
    *descriptor = nullptr;
    return domain->mr_mode & FI_MR_LOCAL ? Register(domain, start, length, descriptor) : 0;
  }
  void Deregister(Domain* domain);

  // A MemoryRegion lends its descriptor to operations on [start, start + length) for as long as it is open.
  void AddRegion(Domain* domain, struct fid_mr* region, const uint8_t* start, size_t length) {
    regions_.push_back({domain, region, start, length, false, 0});
  }
  void RemoveRegion(struct fid_mr* region);

  int in_flight = 0;      // operations that use it
  bool released = false;  // JavaScript has let go: destroy when in_flight is 0

 private:
  struct Region {
    Domain* domain;
    struct fid_mr* fid;
    const uint8_t* start;
    size_t length;
    bool is_own;  // registered behind the scenes
    uint64_t last_use;
  };

  int Register(Domain* domain, const uint8_t* start, size_t length, void** descriptor);
  static void EvictIdle(Domain* domain);
  void Close(const Region& region);
  uint64_t LastUse(const Domain* domain) const;

  uint8_t* base_;
  size_t length_;
  std::shared_ptr<v8::BackingStore> store_;
  std::shared_ptr<void> mapping_;
  std::vector<Region> regions_;
};

// Registers memory for this end's operations.
int RegisterLocal(Domain* domain, void* start, size_t length, struct fid_mr** region);

// fi_mr_regattr with the next key of the domain that is free, where the application chooses keys.
int RegisterWithFreeKey(Domain* domain, struct fi_mr_attr* attr, uint64_t flags, struct fid_mr** region);

}  // namespace node_libfabric
