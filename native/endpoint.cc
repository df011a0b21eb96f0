#include "endpoint.h"

#include <rdma/fi_cm.h>
#include <rdma/fi_tagged.h>

#include "arguments.h"
#include "environment.h"
#include "info.h"

namespace node_libfabric {
namespace {

Endpoint* Find(const Napi::CallbackInfo& info) {
  return EnvironmentOf(info).endpoints.Get(info[0].As<Napi::Number>().Int32Value());
}

// int fi_endpoint(struct fid_domain *domain, struct fi_info *info, struct fid_ep **ep, void *context)
Napi::Value EndpointOpen(const Napi::CallbackInfo& info) {
  Environment& environment = EnvironmentOf(info);
  Domain* domain = environment.domains.Get(info[0].As<Napi::Number>().Int32Value());
  if (!domain) return Napi::Number::New(info.Env(), -FI_EBADF);
  InfoPointer native = InfoFromObject(info[1].As<Napi::Object>());
  struct fid_ep* fid = nullptr;
  int result = fi_endpoint(domain->fid, native.get(), &fid, nullptr);
  if (result) return Napi::Number::New(info.Env(), result);
  auto endpoint = std::make_unique<Endpoint>(domain, fid, native->caps);
  return Napi::Number::New(info.Env(), environment.endpoints.Add(std::move(endpoint)));
}

// int fi_ep_bind(struct fid_ep *ep, struct fid *bfid, uint64_t flags)
Napi::Value EndpointBindQueue(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  CompletionQueue* queue = EnvironmentOf(info).completion_queues.Get(info[1].As<Napi::Number>().Int32Value());
  if (!endpoint || !queue) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (endpoint->queue || queue->domain != endpoint->domain) return Napi::Number::New(info.Env(), -FI_EINVAL);
  int result = fi_ep_bind(endpoint->fid, &queue->fid->fid, FI_TRANSMIT | FI_RECV);
  if (!result) {
    endpoint->queue = queue;
    queue->children++;
    if (endpoint->caps & FI_SOURCE) queue->wants_source = true;
  }
  return Napi::Number::New(info.Env(), result);
}

// int fi_ep_bind(struct fid_ep *ep, struct fid *bfid, uint64_t flags)
Napi::Value EndpointBindAddressVector(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  AddressVector* av = EnvironmentOf(info).address_vectors.Get(info[1].As<Napi::Number>().Int32Value());
  if (!endpoint || !av) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (endpoint->av || av->domain != endpoint->domain) return Napi::Number::New(info.Env(), -FI_EINVAL);
  int result = fi_ep_bind(endpoint->fid, &av->fid->fid, 0);
  if (!result) {
    endpoint->av = av;
    av->children++;
  }
  return Napi::Number::New(info.Env(), result);
}

// int fi_enable(struct fid_ep *ep)
Napi::Value EndpointEnable(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  if (!endpoint || !endpoint->queue || !endpoint->av) return Napi::Number::New(info.Env(), -FI_EBADF);
  int result = fi_enable(endpoint->fid);
  endpoint->enabled = result == 0;
  if (endpoint->enabled && endpoint->domain->fabric->is_shared_memory) {
    char name[256] = "";
    size_t length = sizeof(name) - 1;
    if (fi_getname(&endpoint->fid->fid, name, &length) == 0) {
      endpoint->name = name;
      shared_memory::EndpointOpened(endpoint->name);
    }
  }
  return Napi::Number::New(info.Env(), result);
}

// int fi_getname(fid_t fid, void *addr, size_t *addrlen)
Napi::Value EndpointName(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  if (!endpoint) return Napi::Number::New(info.Env(), -FI_EBADF);
  uint8_t name[1024];
  size_t length = sizeof(name);
  int result = fi_getname(&endpoint->fid->fid, name, &length);
  if (result) return Napi::Number::New(info.Env(), result);
  return Napi::Buffer<uint8_t>::Copy(info.Env(), name, length);
}

// int fi_close(struct fid *fid)
// The first half of closing: nothing can be posted any more, and the completions that the provider still has can be
// drained. The endpoint itself stays, since its operations point to it, until endpointFree.
Napi::Value EndpointClose(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  if (!endpoint) return Napi::Number::New(info.Env(), -FI_EBADF);
  int result = endpoint->Close();
  if (!result) endpoint->enabled = false;
  return Napi::Number::New(info.Env(), result);
}

// endpointFree(endpoint): the second half. Operations still in flight complete with FI_ECANCELED.
Napi::Value EndpointFree(const Napi::CallbackInfo& info) {
  Environment& environment = EnvironmentOf(info);
  int32_t handle = info[0].As<Napi::Number>().Int32Value();
  Endpoint* endpoint = environment.endpoints.Get(handle);
  if (!endpoint) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (endpoint->fid) return Napi::Number::New(info.Env(), -FI_EBUSY);
  if (endpoint->queue) endpoint->queue->CancelOperationsOf(endpoint);
  environment.endpoints.Remove(handle);
  return Napi::Number::New(info.Env(), 0);
}

// ssize_t fi_cancel(fid_t fid, void *context)
Napi::Value EndpointCancel(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  if (!endpoint || !endpoint->enabled) return Napi::Number::New(info.Env(), -FI_EBADF);
  Operation* operation = endpoint->queue->operations.At(info[1].As<Napi::Number>().Uint32Value());
  if (!operation || operation->endpoint != endpoint) return Napi::Number::New(info.Env(), -FI_ENOENT);
  return Napi::Number::New(info.Env(), static_cast<double>(fi_cancel(&endpoint->fid->fid, &operation->context)));
}

// The arguments of every post: (endpoint, memory, offset, length, address, context [, tag [, ignore]]).
// `address` is an index of the bound address vector, or -1 for any source. `context` is -1 in the promise door.
struct Post {
  Post(napi_env env, napi_callback_info info) {
    size_t argc = 8;
    napi_get_cb_info(env, info, &argc, argv, nullptr, &data);
    auto& environment = *static_cast<Environment*>(data);
    endpoint = environment.endpoints.Get(Int32Argument(env, argv[0], -1));
    memory_handle = Int32Argument(env, argv[1], -1);
    memory = environment.memories.Get(memory_handle);
    if (!endpoint || !endpoint->enabled || !memory) {
      error = -FI_EBADF;
      return;
    }
    int64_t offset = Int64Argument(env, argv[2], -1);
    int64_t bytes = Int64Argument(env, argv[3], -1);
    if (!memory->Contains(offset, bytes)) {
      error = -FI_EINVAL;
      return;
    }
    buffer = memory->At(offset);
    length = static_cast<size_t>(bytes);
    int32_t index = Int32Argument(env, argv[4], -2);
    if (index == -1) {
      address = FI_ADDR_UNSPEC;
    } else if (!endpoint->av->Find(index, &address)) {
      error = -FI_EINVAL;
      return;
    }
    error = memory->Describe(endpoint->domain, &descriptor);
  }

  // Posts through `call(context)`. Returns the operation's slot, or a negative libfabric code (-FI_EAGAIN: full).
  template <typename Call>
  napi_value Run(napi_env env, Call call) {
    if (error) return Int32Result(env, error);
    int64_t context = Int64Argument(env, argv[5], -1);
    Door door = context < 0 ? Door::kPromise : Door::kBatch;
    CompletionQueue* queue = endpoint->queue;
    Operation* operation = queue->Begin(endpoint, memory, memory_handle, door, static_cast<uint32_t>(context));
    if (!operation) return Int32Result(env, -FI_EAGAIN);
    ssize_t result = call(&operation->context);
    if (result) {
      queue->Abandon(operation);
      return Int32Result(env, static_cast<int32_t>(result));
    }
    return Int32Result(env, static_cast<int32_t>(operation->slot));
  }

  napi_value argv[8];
  void* data;
  Endpoint* endpoint;
  Memory* memory;
  int32_t memory_handle;
  uint8_t* buffer = nullptr;
  size_t length = 0;
  fi_addr_t address = FI_ADDR_UNSPEC;
  void* descriptor = nullptr;
  int error = 0;
};

// ssize_t fi_send(struct fid_ep *ep, const void *buf, size_t len, void *desc, fi_addr_t dest_addr, void *context)
napi_value EndpointSend(napi_env env, napi_callback_info info) {
  Post post(env, info);
  return post.Run(env, [&post](void* context) {
    return fi_send(post.endpoint->fid, post.buffer, post.length, post.descriptor, post.address, context);
  });
}

// ssize_t fi_recv(struct fid_ep *ep, void *buf, size_t len, void *desc, fi_addr_t src_addr, void *context)
napi_value EndpointRecv(napi_env env, napi_callback_info info) {
  Post post(env, info);
  return post.Run(env, [&post](void* context) {
    return fi_recv(post.endpoint->fid, post.buffer, post.length, post.descriptor, post.address, context);
  });
}

// ssize_t fi_tsend(struct fid_ep *ep, const void *buf, size_t len, void *desc, fi_addr_t dest_addr, uint64_t tag,
//                  void *context)
napi_value EndpointTsend(napi_env env, napi_callback_info info) {
  Post post(env, info);
  return post.Run(env, [env, &post](void* context) {
    uint64_t tag = WireValueArgument(env, post.argv[6]);
    return fi_tsend(post.endpoint->fid, post.buffer, post.length, post.descriptor, post.address, tag, context);
  });
}

// ssize_t fi_trecv(struct fid_ep *ep, void *buf, size_t len, void *desc, fi_addr_t src_addr, uint64_t tag,
//                  uint64_t ignore, void *context)
napi_value EndpointTrecv(napi_env env, napi_callback_info info) {
  Post post(env, info);
  return post.Run(env, [env, &post](void* context) {
    uint64_t tag = WireValueArgument(env, post.argv[6]);
    uint64_t ignore = WireValueArgument(env, post.argv[7]);
    return fi_trecv(post.endpoint->fid, post.buffer, post.length, post.descriptor, post.address, tag, ignore, context);
  });
}

// ssize_t fi_inject(struct fid_ep *ep, const void *buf, size_t len, fi_addr_t dest_addr)
napi_value EndpointInject(napi_env env, napi_callback_info info) {
  Post post(env, info);
  if (post.error) return Int32Result(env, post.error);
  return Int32Result(env, static_cast<int32_t>(fi_inject(post.endpoint->fid, post.buffer, post.length, post.address)));
}

}  // namespace

void ExportEndpoint(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "endpointOpen", EndpointOpen);
  Export(env, exports, environment, "endpointBindQueue", EndpointBindQueue);
  Export(env, exports, environment, "endpointBindAddressVector", EndpointBindAddressVector);
  Export(env, exports, environment, "endpointEnable", EndpointEnable);
  Export(env, exports, environment, "endpointName", EndpointName);
  Export(env, exports, environment, "endpointClose", EndpointClose);
  Export(env, exports, environment, "endpointFree", EndpointFree);
  Export(env, exports, environment, "endpointCancel", EndpointCancel);
  ExportRaw(env, exports, environment, "endpointSend", EndpointSend);
  ExportRaw(env, exports, environment, "endpointRecv", EndpointRecv);
  ExportRaw(env, exports, environment, "endpointTsend", EndpointTsend);
  ExportRaw(env, exports, environment, "endpointTrecv", EndpointTrecv);
  ExportRaw(env, exports, environment, "endpointInject", EndpointInject);
}

}  // namespace node_libfabric
