// A JavaScript function that is called from libuv's handles, outside of any JavaScript.
#pragma once

#include <node_api.h>

#include <cstdint>

namespace node_libfabric {

class LoopCallback {
 public:
  LoopCallback(napi_env env, const char* name, napi_value function) : env_(env) {
    napi_create_reference(env_, function, 1, &function_);
    napi_value resource;
    napi_create_string_utf8(env_, name, NAPI_AUTO_LENGTH, &resource);
    napi_async_init(env_, nullptr, resource, &context_);
  }
  LoopCallback(const LoopCallback&) = delete;
  LoopCallback& operator=(const LoopCallback&) = delete;

  // False when no JavaScript will run any more: the worker is being terminated. What the function throws is fatal, as
  // for every callback of the event loop. It may Release this object.
  bool Call(int32_t argument) {
    napi_env env = env_;
    napi_handle_scope scope;
    if (napi_open_handle_scope(env, &scope) != napi_ok) return false;
    napi_value function, value, receiver;
    napi_get_reference_value(env, function_, &function);
    napi_create_int32(env, argument, &value);
    napi_get_global(env, &receiver);
    napi_status status = napi_make_callback(env, context_, receiver, function, 1, &value, nullptr);
    if (status == napi_pending_exception) {
      napi_value error;
      napi_get_and_clear_last_exception(env, &error);
      napi_fatal_exception(env, error);
    }
    napi_close_handle_scope(env, scope);
    return status == napi_ok || status == napi_pending_exception;
  }

  // It will not be called any more.
  void Release() {
    napi_delete_reference(env_, function_);
    napi_async_destroy(env_, context_);
  }

 private:
  napi_env env_;
  napi_ref function_ = nullptr;
  napi_async_context context_ = nullptr;
};

}  // namespace node_libfabric
