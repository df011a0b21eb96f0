// fi_atomic(3).
#include <rdma/fi_atomic.h>

#include "padded.h"
#include "post.h"
#include "trigger.h"

namespace node_libfabric {
namespace {

// Which call an atomic operation is. lib/binding.ts has the same numbers.
enum class AtomicKind { kBase, kFetch, kCompare };

bool IsKnown(int datatype, int operation) {
  return datatype >= 0 && datatype < FI_DATATYPE_LAST && operation >= 0 && operation < FI_ATOMIC_OP_LAST;
}

// Bytes of an element of the datatypes that typed arrays have; 0 for the others.
size_t SizeOf(int datatype) {
  switch (datatype) {
    case FI_INT8:
    case FI_UINT8:
      return 1;
    case FI_INT16:
    case FI_UINT16:
      return 2;
    case FI_INT32:
    case FI_UINT32:
    case FI_FLOAT:
      return 4;
    case FI_INT64:
    case FI_UINT64:
    case FI_DOUBLE:
      return 8;
    default:
      return 0;
  }
}

// int fi_atomicvalid(struct fid_ep *ep, enum fi_datatype datatype, enum fi_op op, size_t *count)
// int fi_fetch_atomicvalid(struct fid_ep *ep, enum fi_datatype datatype, enum fi_op op, size_t *count)
// int fi_compare_atomicvalid(struct fid_ep *ep, enum fi_datatype datatype, enum fi_op op, size_t *count)
int Validate(struct fid_ep* ep, AtomicKind kind, int datatype, int operation, size_t* count) {
  *count = 0;
  if (!ep->atomic || !IsKnown(datatype, operation)) return -FI_EOPNOTSUPP;
  auto type = static_cast<enum fi_datatype>(datatype);
  auto op = static_cast<enum fi_op>(operation);
  switch (kind) {
    case AtomicKind::kBase:
      return fi_atomicvalid(ep, type, op, count);
    case AtomicKind::kFetch:
      return fi_fetch_atomicvalid(ep, type, op, count);
    case AtomicKind::kCompare:
      return fi_compare_atomicvalid(ep, type, op, count);
  }
  return -FI_EINVAL;
}

// endpointAtomicValid(endpoint, kind, datatype, operation): number
// How many elements one operation may have; a negative code when the provider has no such operation.
Napi::Value EndpointAtomicValid(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = EnvironmentOf(info).endpoints.Get(info[0].As<Napi::Number>().Int32Value());
  if (!endpoint || !endpoint->enabled) return Napi::Number::New(info.Env(), -FI_EBADF);
  size_t count;
  int result = Validate(endpoint->fid, static_cast<AtomicKind>(info[1].As<Napi::Number>().Int32Value()),
                        info[2].As<Napi::Number>().Int32Value(), info[3].As<Napi::Number>().Int32Value(), &count);
  return Napi::Number::New(info.Env(), result ? result : static_cast<double>(count));
}

// int fi_query_atomic(struct fid_domain *domain, enum fi_datatype datatype, enum fi_op op, struct fi_atomic_attr *attr,
//                     uint64_t flags)
// { count, size } or a negative code.
Napi::Value DomainQueryAtomic(const Napi::CallbackInfo& info) {
  Domain* domain = EnvironmentOf(info).domains.Get(info[0].As<Napi::Number>().Int32Value());
  if (!domain) return Napi::Number::New(info.Env(), -FI_EBADF);
  int datatype = info[1].As<Napi::Number>().Int32Value();
  int operation = info[2].As<Napi::Number>().Int32Value();
  if (!IsKnown(datatype, operation)) return Napi::Number::New(info.Env(), -FI_EINVAL);
  Padded<struct fi_atomic_attr> attr;
  int result = fi_query_atomic(domain->fid, static_cast<enum fi_datatype>(datatype), static_cast<enum fi_op>(operation),
                               attr.get(), Uint64Of(info[3]));
  if (result) return Napi::Number::New(info.Env(), result);
  auto attributes = Napi::Object::New(info.Env());
  attributes.Set("count", static_cast<double>(attr->count));
  attributes.Set("size", static_cast<double>(attr->size));
  return attributes;
}

// What an atomic operation is made of, read from JavaScript and checked.
class Atomic {
 public:
  // 0 or a negative libfabric code. Operands, results and comparands are lists of segments in that order, each list of
  // as many elements; an operation that has no operand of its own (FI_ATOMIC_READ) names the results in its place.
  int Read(const Napi::CallbackInfo& info) {
    Environment& environment = EnvironmentOf(info);
    endpoint = environment.endpoints.Get(info[0].As<Napi::Number>().Int32Value());
    if (!endpoint || !endpoint->enabled) return -FI_EBADF;
    kind = static_cast<AtomicKind>(info[1].As<Napi::Number>().Int32Value());
    int type = info[4].As<Napi::Number>().Int32Value();
    int op = info[5].As<Napi::Number>().Int32Value();
    size_t size = SizeOf(type);
    if (!endpoint->fid->atomic || size == 0 || !IsKnown(type, op)) return -FI_EOPNOTSUPP;
    datatype = static_cast<enum fi_datatype>(type);
    operation = static_cast<enum fi_op>(op);
    auto given = info[3].As<Napi::Array>();
    uint32_t expected = kind == AtomicKind::kBase ? 1 : kind == AtomicKind::kFetch ? 2 : 3;
    if (given.Length() != expected) return -FI_EINVAL;
    for (uint32_t i = 0; i < expected; i++) {
      int result = lists_[i].Read(environment, *endpoint, given.Get(i), size);
      if (result) return result;
      if (lists_[i].count != lists_[0].count) return -FI_EINVAL;
    }
    remote_ = {Uint64Of(info[7]), lists_[0].count, Uint64Of(info[8])};
    return FindAddress(*endpoint, info[6].As<Napi::Number>().Int32Value(), &address_);
  }

  size_t count() const { return lists_[0].count; }

  // What stays in place while the operation is in flight.
  std::vector<std::pair<Memory*, int32_t>> Pins() const {
    std::vector<std::pair<Memory*, int32_t>> pins;
    for (const List& list : lists_) pins.insert(pins.end(), list.segments.pins.begin(), list.segments.pins.end());
    return pins;
  }

  // A list of several buffers, or flags, need the general form.
  ssize_t Post(void* context, uint64_t flags) {
    bool is_plain = flags == 0;
    for (const List& list : lists_) is_plain = is_plain && list.buffers.size() <= 1;
    return is_plain ? PostPlain(context) : PostMessage(context, flags);
  }

  // ssize_t fi_inject_atomic(struct fid_ep *ep, const void *buf, size_t count, fi_addr_t dest_addr, uint64_t addr,
  //                          uint64_t key, enum fi_datatype datatype, enum fi_op op)
  ssize_t Inject() const {
    if (kind != AtomicKind::kBase || lists_[0].buffers.size() != 1) return -FI_EINVAL;
    return fi_inject_atomic(endpoint->fid, Buffer(0), count(), address_, remote_.addr, remote_.key, datatype,
                            operation);
  }

  Endpoint* endpoint = nullptr;
  AtomicKind kind = AtomicKind::kBase;
  enum fi_datatype datatype = FI_UINT8;
  enum fi_op operation = FI_MIN;

 private:
  // Operands, results or comparands.
  struct List {
    int Read(Environment& environment, const Endpoint& endpoint, const Napi::Value& value, size_t size) {
      int result = segments.Read(environment, endpoint.domain, value);
      if (result) return result;
      if (segments.vectors.empty() || !endpoint.Takes(Direction::kTransmit, segments.vectors.size())) return -FI_EINVAL;
      for (const struct iovec& vector : segments.vectors) {
        if (vector.iov_len % size != 0) return -FI_EINVAL;
        buffers.push_back({vector.iov_base, vector.iov_len / size});
        count += vector.iov_len / size;
      }
      return 0;
    }

    Segments segments;
    std::vector<struct fi_ioc> buffers;
    size_t count = 0;
  };

  void* Buffer(size_t index) const { return lists_[index].buffers[0].addr; }
  void* Descriptor(size_t index) const { return lists_[index].segments.descriptors[0]; }

  // ssize_t fi_atomic(struct fid_ep *ep, const void *buf, size_t count, void *desc, fi_addr_t dest_addr, uint64_t addr,
  //                   uint64_t key, enum fi_datatype datatype, enum fi_op op, void *context)
  // ssize_t fi_fetch_atomic(struct fid_ep *ep, const void *buf, size_t count, void *desc, void *result,
  //                         void *result_desc, fi_addr_t dest_addr, uint64_t addr, uint64_t key,
  //                         enum fi_datatype datatype, enum fi_op op, void *context)
  // ssize_t fi_compare_atomic(struct fid_ep *ep, const void *buf, size_t count, void *desc, const void *compare,
  //                           void *compare_desc, void *result, void *result_desc, fi_addr_t dest_addr, uint64_t addr,
  //                           uint64_t key, enum fi_datatype datatype, enum fi_op op, void *context)
  ssize_t PostPlain(void* context) const {
    struct fid_ep* ep = endpoint->fid;
    switch (kind) {
      case AtomicKind::kBase:
        return fi_atomic(ep, Buffer(0), count(), Descriptor(0), address_, remote_.addr, remote_.key, datatype,
                         operation, context);
      case AtomicKind::kFetch:
        return fi_fetch_atomic(ep, Buffer(0), count(), Descriptor(0), Buffer(1), Descriptor(1), address_, remote_.addr,
                               remote_.key, datatype, operation, context);
      case AtomicKind::kCompare:
        return fi_compare_atomic(ep, Buffer(0), count(), Descriptor(0), Buffer(2), Descriptor(2), Buffer(1),
                                 Descriptor(1), address_, remote_.addr, remote_.key, datatype, operation, context);
    }
    return -FI_EINVAL;
  }

  // ssize_t fi_atomicmsg(struct fid_ep *ep, const struct fi_msg_atomic *msg, uint64_t flags)
  // ssize_t fi_fetch_atomicmsg(struct fid_ep *ep, const struct fi_msg_atomic *msg, struct fi_ioc *resultv,
  //                            void **result_desc, size_t result_count, uint64_t flags)
  // ssize_t fi_compare_atomicmsg(struct fid_ep *ep, const struct fi_msg_atomic *msg, const struct fi_ioc *comparev,
  //                              void **compare_desc, size_t compare_count, struct fi_ioc *resultv,
  //                              void **result_desc, size_t result_count, uint64_t flags)
  ssize_t PostMessage(void* context, uint64_t flags) {
    auto& [operands, results, comparands] = lists_;
    struct fi_msg_atomic message = {};
    message.msg_iov = operands.buffers.data();
    message.desc = operands.segments.descriptors.data();
    message.iov_count = operands.buffers.size();
    message.addr = address_;
    message.rma_iov = &remote_;
    message.rma_iov_count = 1;
    message.datatype = datatype;
    message.op = operation;
    message.context = context;
    struct fid_ep* ep = endpoint->fid;
    switch (kind) {
      case AtomicKind::kBase:
        return fi_atomicmsg(ep, &message, flags);
      case AtomicKind::kFetch:
        return fi_fetch_atomicmsg(ep, &message, results.buffers.data(), results.segments.descriptors.data(),
                                  results.buffers.size(), flags);
      case AtomicKind::kCompare:
        return fi_compare_atomicmsg(ep, &message, comparands.buffers.data(), comparands.segments.descriptors.data(),
                                    comparands.buffers.size(), results.buffers.data(),
                                    results.segments.descriptors.data(), results.buffers.size(), flags);
    }
    return -FI_EINVAL;
  }

  List lists_[3];
  struct fi_rma_ioc remote_ = {};
  fi_addr_t address_ = FI_ADDR_UNSPEC;
};

// endpointAtomic(endpoint, kind, context, lists, datatype, operation, address, remoteAddress, remoteKey, flags,
// counter,
//                threshold): number
Napi::Value EndpointAtomic(const Napi::CallbackInfo& info) {
  Atomic atomic;
  int result = atomic.Read(info);
  if (result) return Napi::Number::New(info.Env(), result);
  size_t limit;
  result = Validate(atomic.endpoint->fid, atomic.kind, atomic.datatype, atomic.operation, &limit);
  if (!result && atomic.count() > limit) result = -FI_EINVAL;
  uint64_t flags = Uint64Of(info[9]);
  Trigger trigger;
  if (!result) result = trigger.Read(info, 10, *atomic.endpoint, &flags);
  if (result) return Napi::Number::New(info.Env(), result);
  int64_t context = info[2].As<Napi::Number>().Int64Value();
  result = PostPinned(atomic.endpoint, Direction::kTransmit, atomic.Pins(), context, false, [&](void* operation) {
    trigger.Arm(operation);
    return atomic.Post(operation, flags);
  });
  return Napi::Number::New(info.Env(), result);
}

// endpointInjectAtomic(endpoint, kind, context, lists, datatype, operation, address, remoteAddress, remoteKey): number
Napi::Value EndpointInjectAtomic(const Napi::CallbackInfo& info) {
  Atomic atomic;
  int result = atomic.Read(info);
  size_t limit;
  if (!result) result = Validate(atomic.endpoint->fid, AtomicKind::kBase, atomic.datatype, atomic.operation, &limit);
  if (!result && atomic.count() > limit) result = -FI_EINVAL;
  if (result) return Napi::Number::New(info.Env(), result);
  return Napi::Number::New(info.Env(), static_cast<double>(atomic.Inject()));
}

}  // namespace

void ExportAtomic(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "endpointAtomicValid", EndpointAtomicValid);
  Export(env, exports, environment, "endpointAtomic", EndpointAtomic);
  Export(env, exports, environment, "endpointInjectAtomic", EndpointInjectAtomic);
  Export(env, exports, environment, "domainQueryAtomic", DomainQueryAtomic);
}

}  // namespace node_libfabric
