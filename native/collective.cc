// fi_collective(3): operations of all members of a group. TypeScript has checked the sizes of the buffers.
#include <rdma/fi_collective.h>

#include "padded.h"
#include "post.h"

namespace node_libfabric {
namespace {

// collectiveQuery(domain, collective, datatype, operation): number, the most members, or a negative libfabric code
//
// int fi_query_collective(struct fid_domain *domain, enum fi_collective_op coll, struct fi_collective_attr *attr,
//                         uint64_t flags)
Napi::Value CollectiveQuery(const Napi::CallbackInfo& info) {
  Domain* domain = EnvironmentOf(info).domains.Get(info[0].As<Napi::Number>().Int32Value());
  if (!domain) return Napi::Number::New(info.Env(), -FI_EBADF);
  Padded<struct fi_collective_attr> attr;
  attr->datatype = static_cast<enum fi_datatype>(info[2].As<Napi::Number>().Int32Value());
  attr->op = static_cast<enum fi_op>(info[3].As<Napi::Number>().Int32Value());
  auto collective = static_cast<enum fi_collective_op>(info[1].As<Napi::Number>().Int32Value());
  int result = fi_query_collective(domain->fid, collective, attr.get(), 0);
  return Napi::Number::New(info.Env(), result ? result : static_cast<double>(attr->max_members));
}

// endpointCollective(endpoint, group, collective, segments, count, datatype, operation, root): number
// The segments are the buffer and, where there is one, the result; a barrier has one that is not used, and a member
// that gives nothing has none for its buffer (`count` is negative then). `root` is a rank: it is what libfabric's own
// implementation takes for an address.
//
// ssize_t fi_barrier(struct fid_ep *ep, fi_addr_t coll_addr, void *context)
// ssize_t fi_broadcast(struct fid_ep *ep, void *buf, size_t count, void *desc, fi_addr_t coll_addr, fi_addr_t
//                      root_addr, enum fi_datatype datatype, uint64_t flags, void *context)
// ssize_t fi_alltoall(struct fid_ep *ep, const void *buf, size_t count, void *desc, void *result, void *result_desc,
//                     fi_addr_t coll_addr, enum fi_datatype datatype, uint64_t flags, void *context)
// ssize_t fi_allreduce(struct fid_ep *ep, const void *buf, size_t count, void *desc, void *result, void *result_desc,
//                      fi_addr_t coll_addr, enum fi_datatype datatype, enum fi_op op, uint64_t flags, void *context)
// ssize_t fi_allgather(struct fid_ep *ep, const void *buf, size_t count, void *desc, void *result, void *result_desc,
//                      fi_addr_t coll_addr, enum fi_datatype datatype, uint64_t flags, void *context)
// ssize_t fi_reduce_scatter(struct fid_ep *ep, const void *buf, size_t count, void *desc, void *result, void
//                           *result_desc, fi_addr_t coll_addr, enum fi_datatype datatype, enum fi_op op, uint64_t
//                           flags, void *context)
// ssize_t fi_reduce(struct fid_ep *ep, const void *buf, size_t count, void *desc, void *result, void *result_desc,
//                   fi_addr_t coll_addr, fi_addr_t root_addr, enum fi_datatype datatype, enum fi_op op, uint64_t flags,
//                   void *context)
// ssize_t fi_scatter(struct fid_ep *ep, const void *buf, size_t count, void *desc, void *result, void *result_desc,
//                    fi_addr_t coll_addr, fi_addr_t root_addr, enum fi_datatype datatype, uint64_t flags, void
//                    *context)
// ssize_t fi_gather(struct fid_ep *ep, const void *buf, size_t count, void *desc, void *result, void *result_desc,
//                   fi_addr_t coll_addr, fi_addr_t root_addr, enum fi_datatype datatype, uint64_t flags, void *context)
Napi::Value EndpointCollective(const Napi::CallbackInfo& info) {
  Environment& environment = EnvironmentOf(info);
  Endpoint* endpoint = environment.endpoints.Get(info[0].As<Napi::Number>().Int32Value());
  if (!endpoint || !endpoint->enabled) return Napi::Number::New(info.Env(), -FI_EBADF);
  Group* group = endpoint->groups.Get(info[1].As<Napi::Number>().Int32Value());
  if (!group || !group->IsCollective() || !group->is_joined) return Napi::Number::New(info.Env(), -FI_EBADF);
  auto collective = static_cast<enum fi_collective_op>(info[2].As<Napi::Number>().Int32Value());
  Segments segments;
  int problem = segments.Read(environment, endpoint->domain, info[3]);
  if (problem) return Napi::Number::New(info.Env(), problem);
  int64_t given = info[4].As<Napi::Number>().Int64Value();
  auto datatype = static_cast<enum fi_datatype>(info[5].As<Napi::Number>().Int32Value());
  auto op = static_cast<enum fi_op>(info[6].As<Napi::Number>().Int32Value());
  fi_addr_t root = info[7].As<Napi::Number>().Uint32Value();
  if (segments.pins.empty() || root >= group->set->members.size()) return Napi::Number::New(info.Env(), -FI_EINVAL);

  if (!endpoint->fid->collective) return Napi::Number::New(info.Env(), -FI_EOPNOTSUPP);
  struct fid_ep* ep = endpoint->fid;
  fi_addr_t address = fi_mc_addr(group->fid);
  bool has_buffer = given >= 0;
  auto count = static_cast<size_t>(has_buffer ? given : -given);
  void* buffer = has_buffer ? segments.vectors[0].iov_base : nullptr;
  void* buffer_descriptor = has_buffer ? segments.descriptors[0] : nullptr;
  size_t last = segments.vectors.size() - 1;
  bool has_result = !has_buffer || last > 0;
  void* result = has_result ? segments.vectors[last].iov_base : nullptr;
  void* result_descriptor = has_result ? segments.descriptors[last] : nullptr;
  int32_t slot = PostPinned(endpoint, Direction::kTransmit, segments.pins, -1, false, [&](void* context) -> ssize_t {
    switch (collective) {
      case FI_BARRIER:
        return fi_barrier(ep, address, context);
      case FI_BROADCAST:
        return fi_broadcast(ep, buffer, count, buffer_descriptor, address, root, datatype, 0, context);
      case FI_ALLTOALL:
        return fi_alltoall(ep, buffer, count, buffer_descriptor, result, result_descriptor, address, datatype, 0,
                           context);
      case FI_ALLREDUCE:
        return fi_allreduce(ep, buffer, count, buffer_descriptor, result, result_descriptor, address, datatype, op, 0,
                            context);
      case FI_ALLGATHER:
        return fi_allgather(ep, buffer, count, buffer_descriptor, result, result_descriptor, address, datatype, 0,
                            context);
      case FI_REDUCE_SCATTER:
        return fi_reduce_scatter(ep, buffer, count, buffer_descriptor, result, result_descriptor, address, datatype, op,
                                 0, context);
      case FI_REDUCE:
        return fi_reduce(ep, buffer, count, buffer_descriptor, result, result_descriptor, address, root, datatype, op,
                         0, context);
      case FI_SCATTER:
        return fi_scatter(ep, buffer, count, buffer_descriptor, result, result_descriptor, address, root, datatype, 0,
                          context);
      case FI_GATHER:
        return fi_gather(ep, buffer, count, buffer_descriptor, result, result_descriptor, address, root, datatype, 0,
                         context);
    }
    return -FI_EINVAL;
  });
  return Napi::Number::New(info.Env(), slot);
}

}  // namespace

void ExportCollective(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "collectiveQuery", CollectiveQuery);
  Export(env, exports, environment, "endpointCollective", EndpointCollective);
}

}  // namespace node_libfabric
