// fi_rma(3).
#include <rdma/fi_rma.h>

#include "post.h"
#include "trigger.h"

namespace node_libfabric {
namespace {

// endpointInjectWrite(endpoint, memory, offset, length, address, data, remoteAddress, remoteKey): number
//
// ssize_t fi_inject_write(struct fid_ep *ep, const void *buf, size_t len, fi_addr_t dest_addr, uint64_t addr,
//                         uint64_t key)
// ssize_t fi_inject_writedata(struct fid_ep *ep, const void *buf, size_t len, uint64_t data, fi_addr_t dest_addr,
//                             uint64_t addr, uint64_t key)
napi_value EndpointInjectWrite(napi_env env, napi_callback_info info) {
  PostArguments post(env, info);
  // Providers without RMA have no such table.
  if (!post.error && !post.endpoint->fid->rma) post.error = -FI_EOPNOTSUPP;
  if (post.error) return Int32Result(env, post.error);
  struct fid_ep* ep = post.endpoint->fid;
  uint64_t remote = WireValueArgument(env, post.argv[6]);
  uint64_t key = WireValueArgument(env, post.argv[7]);
  ssize_t result;
  if (IsUndefined(env, post.argv[5])) {
    result = fi_inject_write(ep, post.buffer, post.length, post.address, remote, key);
  } else {
    uint64_t data = WireValueArgument(env, post.argv[5]);
    result = fi_inject_writedata(ep, post.buffer, post.length, data, post.address, remote, key);
  }
  return Int32Result(env, static_cast<int32_t>(result));
}

// endpointRma(endpoint, isWrite, context, segments, address, remoteAddress, remoteKey, data, flags, counter,
// threshold): number The general form: vectors, immediate data, flags, a trigger.
//
// ssize_t fi_readmsg(struct fid_ep *ep, const struct fi_msg_rma *msg, uint64_t flags)
// ssize_t fi_writemsg(struct fid_ep *ep, const struct fi_msg_rma *msg, uint64_t flags)
Napi::Value EndpointRma(const Napi::CallbackInfo& info) {
  Environment& environment = EnvironmentOf(info);
  Endpoint* endpoint = environment.endpoints.Get(info[0].As<Napi::Number>().Int32Value());
  if (!endpoint || !endpoint->enabled) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (!endpoint->fid->rma) return Napi::Number::New(info.Env(), -FI_EOPNOTSUPP);
  bool is_write = info[1].As<Napi::Boolean>();
  int64_t context = info[2].As<Napi::Number>().Int64Value();
  Segments segments;
  int result = segments.Read(environment, endpoint->domain, info[3]);
  if (!result && !endpoint->Takes(Direction::kTransmit, segments.vectors.size())) result = -FI_EINVAL;
  fi_addr_t address = FI_ADDR_UNSPEC;
  if (!result) result = FindAddress(*endpoint, info[4].As<Napi::Number>().Int32Value(), &address);
  uint64_t flags = Uint64Of(info[8]);
  Trigger trigger;
  if (!result) result = trigger.Read(info, 9, *endpoint, &flags);
  if (result) return Napi::Number::New(info.Env(), result);
  size_t total = 0;
  for (const struct iovec& vector : segments.vectors) total += vector.iov_len;
  struct fi_rma_iov remote = {Uint64Of(info[5]), total, Uint64Of(info[6])};
  struct fi_msg_rma message = {};
  message.msg_iov = segments.vectors.data();
  message.desc = segments.descriptors.data();
  message.iov_count = segments.vectors.size();
  message.addr = address;
  message.rma_iov = &remote;
  message.rma_iov_count = 1;
  message.data = Uint64Of(info[7]);
  result = PostPinned(endpoint, Direction::kTransmit, segments.pins, context, false, [&](void* operation) {
    message.context = operation;
    trigger.Arm(operation);
    return is_write ? fi_writemsg(endpoint->fid, &message, flags) : fi_readmsg(endpoint->fid, &message, flags);
  });
  return Napi::Number::New(info.Env(), result);
}

}  // namespace

void ExportRma(Napi::Env env, Napi::Object exports, Environment* environment) {
  ExportRaw(env, exports, environment, "endpointInjectWrite", EndpointInjectWrite);
  Export(env, exports, environment, "endpointRma", EndpointRma);
}

}  // namespace node_libfabric
