// Tells JavaScript when an event queue may have something to read.
//
// The mechanism only: lib/event-watch.ts decides when to wait on the descriptor and when to ask by a timer.
#pragma once

#include <node_api.h>
#include <uv.h>

#include "loop_callback.h"

namespace node_libfabric {

struct Environment;
struct EventQueue;

class EventWatch {
 public:
  EventWatch(Environment* environment, EventQueue* queue, napi_value callback);

  // Calls the callback once, when the descriptor is readable. -FI_EAGAIN when events may be there already, -FI_ENOSYS
  // without a descriptor.
  int Arm();
  // Whether the event loop has to stay alive for this queue.
  void SetReferenced(bool referenced);
  // Called once, when the queue goes. The object deletes itself when libuv has let go of its handles.
  void Close();

 private:
  ~EventWatch() = default;

  static void OnReadable(uv_poll_t* handle, int status, int events);
  static void OnClosed(uv_handle_t* handle);

  Environment* environment_;
  EventQueue* queue_;
  LoopCallback callback_;
  uv_poll_t poll_;
  uv_async_t alive_;  // does nothing but keep the loop alive while it is referenced
  bool has_poll_ = false;
  bool closed_ = false;
  int open_handles_ = 0;
};

}  // namespace node_libfabric
