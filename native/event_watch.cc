#include "event_watch.h"

#include <rdma/fi_domain.h>
#include <rdma/fi_errno.h>

#include "environment.h"

namespace node_libfabric {

EventWatch::EventWatch(Environment* environment, EventQueue* queue, napi_value callback)
    : environment_(environment), queue_(queue), callback_(environment->env, "FabricEventQueue", callback) {
  uv_loop_t* loop;
  napi_get_uv_event_loop(environment->env, &loop);
  uv_async_init(loop, &alive_, nullptr);
  poll_.data = alive_.data = this;
  uv_unref(reinterpret_cast<uv_handle_t*>(&alive_));
  open_handles_ = 1;
  if (queue->descriptor >= 0 && uv_poll_init(loop, &poll_, queue->descriptor) == 0) {
    has_poll_ = true;
    open_handles_++;
    uv_unref(reinterpret_cast<uv_handle_t*>(&poll_));
  }
  environment_->progress_objects++;
}

int EventWatch::Arm() {
  if (closed_ || !has_poll_) return -FI_ENOSYS;
  struct fid* fid = &queue_->fid->fid;
  // int fi_trywait(struct fid_fabric *fabric, struct fid **fids, int count)
  int result = fi_trywait(queue_->fabric->fid, &fid, 1);
  return result ? result : uv_poll_start(&poll_, UV_READABLE, OnReadable);
}

void EventWatch::OnReadable(uv_poll_t* handle, int, int) {
  // Not watched again before JavaScript has read: what makes the descriptor readable need not be an event.
  uv_poll_stop(handle);
  static_cast<EventWatch*>(handle->data)->callback_.Call(0);
}

void EventWatch::SetReferenced(bool referenced) {
  if (closed_) return;
  auto* handle = reinterpret_cast<uv_handle_t*>(&alive_);
  referenced ? uv_ref(handle) : uv_unref(handle);
}

void EventWatch::OnClosed(uv_handle_t* handle) {
  auto* watch = static_cast<EventWatch*>(handle->data);
  if (--watch->open_handles_ > 0) return;
  Environment* environment = watch->environment_;
  delete watch;
  environment->ProgressClosed();
}

void EventWatch::Close() {
  if (closed_) return;
  closed_ = true;
  callback_.Release();
  if (has_poll_) uv_poll_stop(&poll_);
  uv_close(reinterpret_cast<uv_handle_t*>(&alive_), OnClosed);
  if (has_poll_) uv_close(reinterpret_cast<uv_handle_t*>(&poll_), OnClosed);
}

}  // namespace node_libfabric
