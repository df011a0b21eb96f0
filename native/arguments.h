// Reading integer arguments with as little ceremony as Node-API allows: these are on the hot path.
#pragma once

#include <node_api.h>

#include <cstdint>

namespace node_libfabric {

inline int32_t Int32Argument(napi_env env, napi_value value, int32_t otherwise) {
  int32_t result;
  return napi_get_value_int32(env, value, &result) == napi_ok ? result : otherwise;
}

inline int64_t Int64Argument(napi_env env, napi_value value, int64_t otherwise) {
  int64_t result;
  return napi_get_value_int64(env, value, &result) == napi_ok ? result : otherwise;
}

// A 64-bit wire value (tag, immediate data): a number in the batch door, a bigint in the comfortable one.
inline uint64_t WireValueArgument(napi_env env, napi_value value) {
  int64_t number;
  if (napi_get_value_int64(env, value, &number) == napi_ok) return static_cast<uint64_t>(number);
  uint64_t big = 0;
  bool lossless;
  napi_get_value_bigint_uint64(env, value, &big, &lossless);
  return big;
}

inline bool IsUndefined(napi_env env, napi_value value) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) != napi_ok || type == napi_undefined;
}

inline napi_value Int32Result(napi_env env, int32_t value) {
  napi_value result;
  napi_create_int32(env, value, &result);
  return result;
}

}  // namespace node_libfabric
