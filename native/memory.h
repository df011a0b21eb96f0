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
  Memory(uint8_t* base, size_t length, std::shared_ptr<v8::BackingStore> store)
      : base_(base), length_(length), store_(std::move(store)) {}
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

  // The local descriptor that an operation of `domain` must pass, registering the whole backing store at first use
  // where the provider wants that (FI_MR_LOCAL). 0 or a negative libfabric code.
  int Describe(Domain* domain, void** descriptor) {
    *descriptor = nullptr;
    return domain->mr_mode & FI_MR_LOCAL ? Register(domain, descriptor) : 0;
  }
  void Deregister(Domain* domain);

  int in_flight = 0;      // operations that use it
  bool released = false;  // JavaScript has let go: destroy when in_flight is 0

 private:
  int Register(Domain* domain, void** descriptor);

  uint8_t* base_;
  size_t length_;
  std::shared_ptr<v8::BackingStore> store_;
  std::vector<std::pair<Domain*, struct fid_mr*>> regions_;
};

}  // namespace node_libfabric
