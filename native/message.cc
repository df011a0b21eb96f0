// fi_msg(3) and fi_tagged(3).
#include <rdma/fi_endpoint.h>
#include <rdma/fi_tagged.h>

#include <algorithm>

#include "post.h"
#include "single_post.h"
#include "trigger.h"

namespace node_libfabric {
namespace {

// Which message operation endpointMessage shall post. lib/binding.ts has the same numbers.
enum class MessageKind { kSend, kRecv, kTsend, kTrecv };

// Looking for messages before they are received: fi_tagged(3). Providers follow what the context of a claim holds
// without asking where it comes from.
constexpr uint64_t kClaiming = FI_PEEK | FI_CLAIM | FI_DISCARD;

// The claimed message, of those that a receive of `tag` and `ignore` may take, that was claimed first.
Operation* FindClaimed(const Endpoint& endpoint, uint64_t tag, uint64_t ignore) {
  for (Operation* operation : endpoint.claimed) {
    if (((operation->tag ^ tag) & ~ignore) == 0) return operation;
  }
  return nullptr;
}

// endpointMessage(endpoint, kind, context, segments, address, tag, ignore, data, flags, counter, threshold): number
// The general form of every message operation: vectors, immediate data, flags, a trigger.
//
// ssize_t fi_sendmsg(struct fid_ep *ep, const struct fi_msg *msg, uint64_t flags)
// ssize_t fi_recvmsg(struct fid_ep *ep, const struct fi_msg *msg, uint64_t flags)
// ssize_t fi_tsendmsg(struct fid_ep *ep, const struct fi_msg_tagged *msg, uint64_t flags)
// ssize_t fi_trecvmsg(struct fid_ep *ep, const struct fi_msg_tagged *msg, uint64_t flags)
Napi::Value EndpointMessage(const Napi::CallbackInfo& info) {
  Environment& environment = EnvironmentOf(info);
  Endpoint* endpoint = environment.endpoints.Get(info[0].As<Napi::Number>().Int32Value());
  if (!endpoint || !endpoint->enabled) return Napi::Number::New(info.Env(), -FI_EBADF);
  auto kind = static_cast<MessageKind>(info[1].As<Napi::Number>().Int32Value());
  int64_t context = info[2].As<Napi::Number>().Int64Value();
  Segments segments;
  int result = segments.Read(environment, endpoint->domain, info[3]);
  fi_addr_t address;
  uint64_t flags = Uint64Of(info[8]);
  bool receives = kind == MessageKind::kRecv || kind == MessageKind::kTrecv;
  Direction direction = receives ? Direction::kReceive : Direction::kTransmit;
  bool many = receives && (flags & FI_MULTI_RECV) != 0;
  if (many && endpoint->domain->fabric->overruns_multi_receives) result = -FI_EOPNOTSUPP;
  bool has_prefix = endpoint->original()->prefixes != nullptr;
  if (many && has_prefix) result = -FI_EOPNOTSUPP;
  if (!result && has_prefix) segments.AddFront();
  if (!result && !endpoint->Takes(direction, segments.vectors.size())) result = -FI_EINVAL;
  if (!result) result = FindDestination(*endpoint, info[4].As<Napi::Number>().Int32Value(), &address, &flags);
  Trigger trigger;
  if (!result) result = trigger.Read(info, 9, *endpoint, &flags);
  bool is_plain_send = kind == MessageKind::kSend;
  if (!result && (flags & FI_MULTICAST) && !is_plain_send) result = -FI_EINVAL;
  // Claiming and triggering both want the context.
  bool is_strange =
      (flags & kClaiming) && (kind != MessageKind::kTrecv || (flags & kClaiming) == FI_DISCARD || (flags & FI_TRIGGER));
  if (!result && is_strange) result = -FI_EINVAL;
  if (!result) result = CheckMessages(endpoint, kind == MessageKind::kTsend || kind == MessageKind::kTrecv);
  if (result) return Napi::Number::New(info.Env(), result);

  struct fi_msg_tagged tagged = {};
  tagged.msg_iov = segments.vectors.data();
  tagged.desc = segments.descriptors.data();
  tagged.iov_count = segments.vectors.size();
  tagged.addr = address;
  tagged.tag = Uint64Of(info[5]);
  tagged.ignore = Uint64Of(info[6]);
  tagged.data = Uint64Of(info[7]);
  struct fi_msg plain = {};
  plain.msg_iov = tagged.msg_iov;
  plain.desc = tagged.desc;
  plain.iov_count = tagged.iov_count;
  plain.addr = address;
  plain.data = tagged.data;

  Operation* claimed = nullptr;
  if ((flags & (FI_PEEK | FI_CLAIM)) == FI_CLAIM) {
    claimed = FindClaimed(*endpoint, tagged.tag, tagged.ignore);
    if (!claimed) return Napi::Number::New(info.Env(), -FI_ENOMSG);
    // net looks for the message by its tag as well, others take no notice of it
    tagged.tag = claimed->tag;
  }
  auto post = [&](void* operation) -> ssize_t {
    plain.context = tagged.context = operation;
    if (const Prefix* prefix = static_cast<Operation*>(operation)->prefix) segments.SetFront(*prefix);
    static_cast<Operation*>(operation)->claims = (flags & kClaiming) == (FI_PEEK | FI_CLAIM);
    trigger.Arm(operation);
    switch (kind) {
      case MessageKind::kSend:
        return fi_sendmsg(endpoint->fid, &plain, flags);
      case MessageKind::kRecv:
        return fi_recvmsg(endpoint->fid, &plain, flags);
      case MessageKind::kTsend:
        return fi_tsendmsg(endpoint->fid, &tagged, flags);
      case MessageKind::kTrecv:
        return fi_trecvmsg(endpoint->fid, &tagged, flags);
    }
    return -FI_EINVAL;
  };
  result = PostPinned(endpoint, direction, segments.pins, context, many, post, claimed);
  if (claimed && result >= 0) {
    auto& waiting = endpoint->claimed;
    waiting.erase(std::find(waiting.begin(), waiting.end(), claimed));
  }
  return Napi::Number::New(info.Env(), result);
}

// endpointInjectMessage(endpoint, memory, offset, length, address, tag, data): number
// What fi_inject cannot say: `tag` or `data`, where they are not undefined.
//
// ssize_t fi_tinject(struct fid_ep *ep, const void *buf, size_t len, fi_addr_t dest_addr, uint64_t tag)
// ssize_t fi_injectdata(struct fid_ep *ep, const void *buf, size_t len, uint64_t data, fi_addr_t dest_addr)
// ssize_t fi_tinjectdata(struct fid_ep *ep, const void *buf, size_t len, uint64_t data, fi_addr_t dest_addr, uint64_t
// tag)
napi_value EndpointInjectMessage(napi_env env, napi_callback_info info) {
  PostArguments post(env, info);
  bool has_tag = !IsUndefined(env, post.argv[5]);
  if (!post.error) post.error = CheckMessages(post.endpoint, has_tag);
  if (post.error) return Int32Result(env, post.error);
  struct fid_ep* ep = post.endpoint->fid;
  bool has_data = !IsUndefined(env, post.argv[6]);
  uint64_t tag = has_tag ? WireValueArgument(env, post.argv[5]) : 0;
  uint64_t data = has_data ? WireValueArgument(env, post.argv[6]) : 0;
  ssize_t result;
  if (post.endpoint->original()->prefixes) {
    result = InjectWithPrefix(post, &data);
  } else if (!has_data) {
    result = fi_tinject(ep, post.buffer, post.length, post.address, tag);
  } else if (!has_tag) {
    result = fi_injectdata(ep, post.buffer, post.length, data, post.address);
  } else {
    result = fi_tinjectdata(ep, post.buffer, post.length, data, post.address, tag);
  }
  return Int32Result(env, static_cast<int32_t>(result));
}

}  // namespace

void ExportMessage(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "endpointMessage", EndpointMessage);
  ExportRaw(env, exports, environment, "endpointInjectMessage", EndpointInjectMessage);
}

}  // namespace node_libfabric
