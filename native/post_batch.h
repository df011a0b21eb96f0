// Operations that JavaScript has written down in a buffer (lib/post-batch.ts), to be posted in one call.
#pragma once

#include "single_post.h"

namespace node_libfabric {

class PostBatch {
 public:
  // Whether there is a batch: `memory` may be null.
  explicit PostBatch(Memory* memory) : header_(memory ? reinterpret_cast<Header*>(memory->At(0)) : nullptr) {
    if (!header_) return;
    capacity_ = memory->length() < sizeof(Header) ? -1 : static_cast<int64_t>((memory->length() / sizeof(Entry)) - 1);
  }

  // Posts from the position on, until everything is posted, the provider is full, or something fails: 0, or the
  // negative libfabric code that the header has too.
  int32_t Run(Environment& environment);

  bool HasMore() const { return has_more_; }

 private:
  struct Header {
    int32_t position;  // of the next that is to be posted
    int32_t limit;     // of the first that is not
    int32_t error;     // why the one at `position` was refused, 0 when it was not
    int32_t unused[13];
  };
  struct Entry {
    int32_t kind, endpoint, memory, address;
    int64_t offset, length;
    uint32_t context;
    WireValues values;
    int64_t unused;
  };
  static_assert(sizeof(Header) == 64 && sizeof(Entry) == 64, "lib/post-batch.ts counts on it");

  Header* header_;
  int64_t capacity_ = 0;
  bool has_more_ = false;
};

}  // namespace node_libfabric
