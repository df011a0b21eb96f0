#include "single_post.h"

#include <rdma/fi_endpoint.h>
#include <rdma/fi_rma.h>
#include <rdma/fi_tagged.h>

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
  if (kind == PostKind::kInject) return static_cast<int32_t>(Call(post, kind, values, nullptr));
  bool receives = kind == PostKind::kRecv || kind == PostKind::kTrecv;
  return post.Begin(receives ? Direction::kReceive : Direction::kTransmit, user_context,
                    [&](void* context) { return Call(post, kind, values, context); });
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
