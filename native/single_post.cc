#include "single_post.h"

#include <rdma/fi_endpoint.h>
#include <rdma/fi_rma.h>
#include <rdma/fi_tagged.h>

#include <cstring>

namespace node_libfabric {
namespace {

int CheckKind(const Endpoint* endpoint, PostKind kind) {
  switch (kind) {
    case PostKind::kSend:
    case PostKind::kRecv:
    case PostKind::kInject:
      return CheckMessages(endpoint, false);
    case PostKind::kTsend:
    case PostKind::kTrecv:
      return CheckMessages(endpoint, true);
    case PostKind::kRead:
    case PostKind::kWrite:
      // Providers without RMA have no such table.
      return endpoint->fid->rma ? 0 : -FI_EOPNOTSUPP;
  }
  return -FI_EINVAL;
}

// ssize_t fi_send(struct fid_ep *ep, const void *buf, size_t len, void *desc, fi_addr_t dest_addr, void *context)
// ssize_t fi_recv(struct fid_ep *ep, void *buf, size_t len, void *desc, fi_addr_t src_addr, void *context)
// ssize_t fi_tsend(struct fid_ep *ep, const void *buf, size_t len, void *desc, fi_addr_t dest_addr, uint64_t tag,
//                  void *context)
// ssize_t fi_trecv(struct fid_ep *ep, void *buf, size_t len, void *desc, fi_addr_t src_addr, uint64_t tag,
//                  uint64_t ignore, void *context)
// ssize_t fi_inject(struct fid_ep *ep, const void *buf, size_t len, fi_addr_t dest_addr)
// ssize_t fi_read(struct fid_ep *ep, void *buf, size_t len, void *desc, fi_addr_t src_addr, uint64_t addr,
//                 uint64_t key, void *context)
// ssize_t fi_write(struct fid_ep *ep, const void *buf, size_t len, void *desc, fi_addr_t dest_addr, uint64_t addr,
//                  uint64_t key, void *context)
ssize_t Call(const Post& post, PostKind kind, const WireValues& values, void* context) {
  struct fid_ep* ep = post.endpoint->fid;
  switch (kind) {
    case PostKind::kSend:
      return fi_send(ep, post.buffer, post.length, post.descriptor, post.address, context);
    case PostKind::kRecv:
      return fi_recv(ep, post.buffer, post.length, post.descriptor, post.address, context);
    case PostKind::kTsend:
      return fi_tsend(ep, post.buffer, post.length, post.descriptor, post.address, values.first, context);
    case PostKind::kTrecv:
      return fi_trecv(ep, post.buffer, post.length, post.descriptor, post.address, values.first, values.second,
                      context);
    case PostKind::kInject:
      return fi_inject(ep, post.buffer, post.length, post.address);
    case PostKind::kRead:
      return fi_read(ep, post.buffer, post.length, post.descriptor, post.address, values.first, values.second, context);
    case PostKind::kWrite:
      return fi_write(ep, post.buffer, post.length, post.descriptor, post.address, values.first, values.second,
                      context);
  }
  return -FI_EINVAL;
}

// ssize_t fi_sendv(struct fid_ep *ep, const struct iovec *iov, void **desc, size_t count, fi_addr_t dest_addr,
//                  void *context)
// ssize_t fi_recvv(struct fid_ep *ep, const struct iovec *iov, void **desc, size_t count, fi_addr_t src_addr,
//                  void *context)
ssize_t CallWithPrefix(const Post& post, PostKind kind, const Prefix& prefix, void* context) {
  struct iovec vectors[] = {prefix.bytes, {post.buffer, post.length}};
  void* descriptors[] = {prefix.descriptor, post.descriptor};
  struct fid_ep* ep = post.endpoint->fid;
  return kind == PostKind::kSend ? fi_sendv(ep, vectors, descriptors, 2, post.address, context)
                                 : fi_recvv(ep, vectors, descriptors, 2, post.address, context);
}

// The same as a call: (endpoint, memory, offset, length, address, context, first, second): number
template <PostKind kKind>
napi_value EndpointPost(napi_env env, napi_callback_info info) {
  constexpr bool kHasFirst =
      kKind == PostKind::kTsend || kKind == PostKind::kTrecv || kKind == PostKind::kRead || kKind == PostKind::kWrite;
  constexpr bool kHasSecond = kHasFirst && kKind != PostKind::kTsend;
  PostArguments post(env, info);
  WireValues values = {};
  if (kHasFirst) values.first = WireValueArgument(env, post.argv[6]);
  if (kHasSecond) values.second = WireValueArgument(env, post.argv[7]);
  return Int32Result(env, PostSingle(post, kKind, values, Int64Argument(env, post.argv[5], -1)));
}

}  // namespace

int32_t PostSingle(Post& post, PostKind kind, const WireValues& values, int64_t user_context) {
  if (!post.error) post.error = CheckKind(post.endpoint, kind);
  if (post.error) return post.error;
  if (kind == PostKind::kInject) {
    if (post.endpoint->original()->prefixes) return InjectWithPrefix(post, nullptr);
    return static_cast<int32_t>(Call(post, kind, values, nullptr));
  }
  bool receives = kind == PostKind::kRecv || kind == PostKind::kTrecv;
  return post.Begin(receives ? Direction::kReceive : Direction::kTransmit, user_context, [&](void* context) {
    const Prefix* prefix = static_cast<Operation*>(context)->prefix;
    bool is_message = kind == PostKind::kSend || kind == PostKind::kRecv;
    return prefix && is_message ? CallWithPrefix(post, kind, *prefix, context) : Call(post, kind, values, context);
  });
}

// ssize_t fi_senddata(struct fid_ep *ep, const void *buf, size_t len, void *desc, uint64_t data, fi_addr_t dest_addr,
//                     void *context)
int32_t InjectWithPrefix(Post& post, const uint64_t* data) {
  if (post.length > post.endpoint->original()->prefixes->room()) return -FI_EMSGSIZE;
  constexpr int64_t kPromiseDoor = -1;
  int32_t slot = post.Begin(Direction::kTransmit, kPromiseDoor, [&](void* context) {
    auto* operation = static_cast<Operation*>(context);
    operation->silent = true;
    const Prefix& prefix = *operation->prefix;
    if (post.length > 0) std::memcpy(prefix.injected(), post.buffer, post.length);
    struct fid_ep* ep = post.endpoint->fid;
    void* start = prefix.bytes.iov_base;
    size_t length = prefix.bytes.iov_len + post.length;
    return data ? fi_senddata(ep, start, length, prefix.descriptor, *data, post.address, context)
                : fi_send(ep, start, length, prefix.descriptor, post.address, context);
  });
  return slot < 0 ? slot : 0;
}

void ExportSinglePost(Napi::Env env, Napi::Object exports, Environment* environment) {
  ExportRaw(env, exports, environment, "endpointSend", EndpointPost<PostKind::kSend>);
  ExportRaw(env, exports, environment, "endpointRecv", EndpointPost<PostKind::kRecv>);
  ExportRaw(env, exports, environment, "endpointTsend", EndpointPost<PostKind::kTsend>);
  ExportRaw(env, exports, environment, "endpointTrecv", EndpointPost<PostKind::kTrecv>);
  ExportRaw(env, exports, environment, "endpointInject", EndpointPost<PostKind::kInject>);
  ExportRaw(env, exports, environment, "endpointRead", EndpointPost<PostKind::kRead>);
  ExportRaw(env, exports, environment, "endpointWrite", EndpointPost<PostKind::kWrite>);
}

}  // namespace node_libfabric
