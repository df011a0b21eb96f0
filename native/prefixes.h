// The bytes that a provider with FI_MSG_PREFIX wants in front of every message, its payload excepted: an element of its
// own in each vector, so that users need not know of it.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "domain.h"

namespace node_libfabric {

struct Prefix {
  struct iovec bytes;
  void* descriptor;
  // A copy of what is injected, which follows immediately.
  uint8_t* injected() const { return static_cast<uint8_t*>(bytes.iov_base) + bytes.iov_len; }
};

// As many as an endpoint can have operations in flight.
class Prefixes {
 public:
  Prefixes() = default;
  ~Prefixes();
  Prefixes(const Prefixes&) = delete;
  Prefixes& operator=(const Prefixes&) = delete;

  // `room`: for what is injected. Returns 0 or a negative libfabric code.
  int Open(Domain* domain, size_t bytes, size_t room, size_t count);
  size_t room() const { return room_; }

  bool AreAllTaken() const { return free_.empty(); }
  const Prefix* Take() {
    const Prefix* prefix = free_.back();
    free_.pop_back();
    return prefix;
  }
  void Give(const Prefix* prefix) { free_.push_back(prefix); }

 private:
  // More than any provider wants: the numbers come from an Info, which users may have edited.
  static constexpr size_t kLargest = 4096;

  size_t room_ = 0;
  std::unique_ptr<uint8_t[]> memory_;
  struct fid_mr* region_ = nullptr;  // where the provider wants one of every buffer
  std::vector<Prefix> all_;
  std::vector<const Prefix*> free_;
};

}  // namespace node_libfabric
