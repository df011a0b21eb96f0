#include "post_batch.h"

namespace node_libfabric {

int32_t PostBatch::Run(Environment& environment) {
  has_more_ = false;
  if (!header_) return 0;
  if (capacity_ < 0) return -FI_EINVAL;
  int32_t position = header_->position;
  int32_t limit = header_->limit;
  if (position < 0 || limit > capacity_) return header_->error = -FI_EINVAL;
  int32_t result = 0;
  auto* entries = reinterpret_cast<const Entry*>(header_ + 1);
  for (; position < limit; position++) {
    const Entry& entry = entries[position];
    Post post;
    post.Find(environment, entry.endpoint, entry.memory, entry.offset, entry.length, entry.address);
    result = PostSingle(post, static_cast<PostKind>(entry.kind), entry.values, entry.context);
    if (result < 0) break;
  }
  header_->position = position;
  has_more_ = position < limit;
  if (result >= 0 || result == -FI_EAGAIN) return 0;
  return header_->error = result;
}

}  // namespace node_libfabric
