// fi_getopt(3), fi_setopt(3) and what else an endpoint says of itself while it is open.
#include <cstring>

#include "environment.h"
#include "trigger.h"

namespace node_libfabric {
namespace {

Endpoint* Find(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = EnvironmentOf(info).endpoints.Get(info[0].As<Napi::Number>().Int32Value());
  return endpoint && endpoint->fid ? endpoint : nullptr;
}

// Whether the provider has an operation, one of the fields of struct fi_ops_ep.
template <typename Function>
bool Has(Endpoint* endpoint, Function fi_ops_ep::*operation) {
  return endpoint->fid->ops && endpoint->fid->ops->*operation;
}

// endpointGetOption(endpoint, option, size): bigint, or a negative libfabric code as a number. `size` is that of the C
// type, 4 or 8; TypeScript has a table of them.
//
// int fi_getopt(fid_t fid, int level, int optname, void *optval, size_t *optlen)
Napi::Value EndpointGetOption(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  if (!endpoint) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (!Has(endpoint, &fi_ops_ep::getopt)) return Napi::Number::New(info.Env(), -FI_ENOSYS);
  uint8_t value[64] = {};
  size_t length = info[2].As<Napi::Number>().Uint32Value();
  int option = info[1].As<Napi::Number>().Int32Value();
  int result = fi_getopt(&endpoint->fid->fid, FI_OPT_ENDPOINT, option, value, &length);
  if (result) return Napi::Number::New(info.Env(), result);
  uint64_t number = 0;
  std::memcpy(&number, value, std::min(length, sizeof(number)));
  return Napi::BigInt::New(info.Env(), number);
}

// endpointSetOption(endpoint, option, size, value: bigint): number
//
// int fi_setopt(fid_t fid, int level, int optname, const void *optval, size_t optlen)
Napi::Value EndpointSetOption(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  if (!endpoint) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (!Has(endpoint, &fi_ops_ep::setopt)) return Napi::Number::New(info.Env(), -FI_ENOSYS);
  bool lossless;
  uint64_t value[8] = {info[3].As<Napi::BigInt>().Uint64Value(&lossless)};
  int option = info[1].As<Napi::Number>().Int32Value();
  size_t length = info[2].As<Napi::Number>().Uint32Value();
  return Napi::Number::New(info.Env(), fi_setopt(&endpoint->fid->fid, FI_OPT_ENDPOINT, option, value, length));
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

// endpointSizeLeft(endpoint, receives): number
//
// ssize_t fi_tx_size_left(struct fid_ep *ep)
// ssize_t fi_rx_size_left(struct fid_ep *ep)
Napi::Value EndpointSizeLeft(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  if (!endpoint || !endpoint->enabled) return Napi::Number::New(info.Env(), -FI_EBADF);
  bool receives = info[1].As<Napi::Boolean>();
  if (!Has(endpoint, receives ? &fi_ops_ep::rx_size_left : &fi_ops_ep::tx_size_left)) {
    return Napi::Number::New(info.Env(), -FI_ENOSYS);
  }
  ssize_t left = receives ? fi_rx_size_left(endpoint->fid) : fi_tx_size_left(endpoint->fid);
  return Napi::Number::New(info.Env(), static_cast<double>(left));
}

#pragma GCC diagnostic pop

// endpointOperationFlags(endpoint, command, flags: bigint): bigint, or a negative libfabric code as a number. `flags`
// has FI_TRANSMIT or FI_RECV for which of the two it is about.
//
// int fi_control(struct fid *fid, int command, void *arg)
Napi::Value EndpointOperationFlags(const Napi::CallbackInfo& info) {
  Endpoint* endpoint = Find(info);
  if (!endpoint) return Napi::Number::New(info.Env(), -FI_EBADF);
  bool lossless;
  uint64_t flags = info[2].As<Napi::BigInt>().Uint64Value(&lossless);
  bool sets = info[1].As<Napi::Boolean>();
  if (sets && (flags & kNeverByDefault)) return Napi::Number::New(info.Env(), -FI_EINVAL);
  int result = fi_control(&endpoint->fid->fid, sets ? FI_SETOPSFLAG : FI_GETOPSFLAG, &flags);
  if (result) return Napi::Number::New(info.Env(), result);
  return Napi::BigInt::New(info.Env(), flags);
}

}  // namespace

void ExportEndpointOptions(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "endpointGetOption", EndpointGetOption);
  Export(env, exports, environment, "endpointSetOption", EndpointSetOption);
  Export(env, exports, environment, "endpointSizeLeft", EndpointSizeLeft);
  Export(env, exports, environment, "endpointOperationFlags", EndpointOperationFlags);
}

}  // namespace node_libfabric
