#include "progress.h"

#include <napi.h>
#include <rdma/fi_errno.h>

#include <algorithm>

#include "completion_queue.h"
#include "environment.h"

namespace node_libfabric {
namespace {

// How long one turn of the event loop may spin on an empty queue, so that timers and sockets keep their share. Queues
// that spin at the same time share it with a single poll each: what one waits for may come from another.
constexpr int64_t kSliceNanoseconds = 100'000;
// The same while posts wait for room: they are tried again between turns.
constexpr int64_t kBlockedSliceNanoseconds = 20'000;
// How long completions may keep one turn of the event loop.
constexpr int64_t kTurnNanoseconds = 200'000;

}  // namespace

Progress::Progress(Environment* environment, CompletionQueue* queue, uint8_t* ring, int capacity, napi_value callback)
    : environment_(environment),
      queue_(queue),
      ring_(ring),
      capacity_(capacity),
      callback_(environment->env, "FabricCompletionQueue", callback) {
  uv_loop_t* loop;
  napi_get_uv_event_loop(environment->env, &loop);
  uv_idle_init(loop, &idle_);
  uv_async_init(loop, &alive_, nullptr);
  uv_timer_init(loop, &timer_);
  idle_.data = poll_.data = alive_.data = timer_.data = this;
  uv_unref(reinterpret_cast<uv_handle_t*>(&idle_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&timer_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&alive_));
  open_handles_ = 3;
  if (queue->descriptor >= 0 && uv_poll_init(loop, &poll_, queue->descriptor) == 0) {
    has_poll_ = true;
    open_handles_++;
    uv_unref(reinterpret_cast<uv_handle_t*>(&poll_));
  }
  environment_->progress_objects++;
}

void Progress::Spin(int64_t budget_nanoseconds) {
  if (closed_) return;
  budget_ = budget_nanoseconds;
  last_event_ = Nanoseconds();
  environment_->core.Begin(last_event_);
  if (spinning_) return;
  spinning_ = true;
  environment_->spinning_queues++;
  if (has_poll_) uv_poll_stop(&poll_);
  uv_timer_stop(&timer_);
  uv_idle_start(&idle_, [](uv_idle_t* handle) { static_cast<Progress*>(handle->data)->Tick(); });
}

int Progress::Arm(int64_t budget_nanoseconds) {
  budget_ = budget_nanoseconds;
  if (closed_ || !has_poll_ || queue_->cannot_wait) return -FI_ENOSYS;
  struct fid* fid = &queue_->fid->fid;
  // int fi_trywait(struct fid_fabric *fabric, struct fid **fids, int count)
  int result = fi_trywait(queue_->domain->fabric->fid, &fid, 1);
  if (result) return result;
  return uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* handle, int, int) {
    auto* progress = static_cast<Progress*>(handle->data);
    progress->queue_->counts.wake_ups++;
    progress->Spin(progress->budget_);
    progress->Tick();
  });
}

void Progress::Poll(int64_t interval_milliseconds, int64_t limit_milliseconds) {
  if (closed_ || spinning_) return;
  interval_ = interval_milliseconds;
  longest_interval_ = limit_milliseconds;
  quiet_polls_ = 0;
  StartTimer();
}

void Progress::StartTimer() {
  uv_timer_start(
      &timer_, [](uv_timer_t* handle) { static_cast<Progress*>(handle->data)->OnTimer(); },
      static_cast<uint64_t>(interval_), 0);
}

// JavaScript runs in Report; what it finds there makes it spin, or close the queue.
void Progress::OnTimer() {
  queue_->counts.timers++;
  int count = queue_->Read(Door::kPromise, CompletionArrays(ring_, capacity_));
  if (count != 0) {
    Report(count > 0 ? count | static_cast<int>(interval_) << kIntervalShift : count);
    return;
  }
  if (blocked_) {
    Report(kRetry);
    if (closed_ || spinning_) return;
  }
  // So that a message waits for a quarter of the silence before it, at most.
  constexpr int kPollsOfEach = 4;
  if (++quiet_polls_ == kPollsOfEach) {
    quiet_polls_ = 0;
    interval_ = std::min(2 * interval_, longest_interval_);
  }
  StartTimer();
}

void Progress::Stop() {
  if (closed_) return;
  if (spinning_) environment_->spinning_queues--;
  spinning_ = false;
  uv_idle_stop(&idle_);
  uv_timer_stop(&timer_);
  if (has_poll_) uv_poll_stop(&poll_);
}

void Progress::SetReferenced(bool referenced) {
  if (closed_) return;
  auto* handle = reinterpret_cast<uv_handle_t*>(&alive_);
  referenced ? uv_ref(handle) : uv_unref(handle);
}

// One turn of the event loop: drain and report until there is nothing, or the turn has had its share. JavaScript runs
// in Report and may close the queue, after which nothing of this object but `closed_` may be used.
void Progress::Tick() {
  int64_t start = Nanoseconds();
  int64_t empty_since = start;
  queue_->counts.spins++;
  CompletionArrays arrays(ring_, capacity_);
  while (spinning_) {
    int count = queue_->Read(Door::kPromise, arrays);
    int64_t now = Nanoseconds();
    if (count < 0) {
      Stop();
      Report(count);
      return;
    }
    if (count > 0) {
      Report(count);
      if (closed_) return;
      last_event_ = empty_since = Nanoseconds();
      environment_->core.Came();
      environment_->core.Begin(last_event_);
      if (last_event_ - start > kTurnNanoseconds) return;
      continue;
    }
    environment_->core.Offer(now);
    queue_->LetPeersIn(empty_since, now);
    int64_t slice = blocked_ ? kBlockedSliceNanoseconds : kSliceNanoseconds;
    if (environment_->spinning_queues > 1 || now - empty_since > slice) break;
    if (now - last_event_ > budget_) break;
  }
  if (!spinning_) return;
  if (blocked_) {
    Report(kRetry);
    if (closed_ || !spinning_) return;
  }
  if (Nanoseconds() - last_event_ > budget_) {
    Stop();
    Report(kSpent);
  }
}

void Progress::Report(int count) {
  if (!callback_.Call(count)) Stop();
}

void Progress::OnClosed(uv_handle_t* handle) {
  auto* progress = static_cast<Progress*>(handle->data);
  if (--progress->open_handles_ > 0) return;
  Environment* environment = progress->environment_;
  delete progress;
  environment->ProgressClosed();
}

void Progress::Close() {
  if (closed_) return;
  Stop();
  closed_ = true;
  callback_.Release();
  uv_close(reinterpret_cast<uv_handle_t*>(&idle_), OnClosed);
  uv_close(reinterpret_cast<uv_handle_t*>(&alive_), OnClosed);
  uv_close(reinterpret_cast<uv_handle_t*>(&timer_), OnClosed);
  if (has_poll_) uv_close(reinterpret_cast<uv_handle_t*>(&poll_), OnClosed);
}

namespace {

Progress* Find(const Napi::CallbackInfo& info) {
  CompletionQueue* queue = EnvironmentOf(info).completion_queues.Get(info[0].As<Napi::Number>().Int32Value());
  return queue ? queue->progress : nullptr;
}

// progressOpen(queue, ringMemory, capacity, callback): number
Napi::Value ProgressOpen(const Napi::CallbackInfo& info) {
  Environment& environment = EnvironmentOf(info);
  CompletionQueue* queue = environment.completion_queues.Get(info[0].As<Napi::Number>().Int32Value());
  Memory* ring = environment.memories.Get(info[1].As<Napi::Number>().Int32Value());
  int capacity = info[2].As<Napi::Number>().Int32Value();
  if (!queue || queue->progress || !ring) return Napi::Number::New(info.Env(), -FI_EBADF);
  size_t needed = CompletionArrays::kBytesPerEntry * static_cast<size_t>(capacity);
  if (capacity <= 0 || capacity >= 1 << Progress::kIntervalShift || ring->length() < needed)
    return Napi::Number::New(info.Env(), -FI_EINVAL);
  queue->ring = ring;
  queue->ring_handle = info[1].As<Napi::Number>().Int32Value();
  ring->in_flight++;  // JavaScript may drop its buffer; the queue writes to it until it is closed
  queue->progress = new Progress(&environment, queue, ring->At(0), capacity, info[3]);
  return Napi::Number::New(info.Env(), 0);
}

void ProgressSpin(const Napi::CallbackInfo& info) {
  if (Progress* progress = Find(info)) progress->Spin(info[1].As<Napi::Number>().Int64Value());
}

Napi::Value ProgressArm(const Napi::CallbackInfo& info) {
  Progress* progress = Find(info);
  return Napi::Number::New(info.Env(), progress ? progress->Arm(info[1].As<Napi::Number>().Int64Value()) : -FI_EBADF);
}

void ProgressPoll(const Napi::CallbackInfo& info) {
  Progress* progress = Find(info);
  if (!progress) return;
  progress->Poll(info[1].As<Napi::Number>().Int64Value(), info[2].As<Napi::Number>().Int64Value());
}

void ProgressSetBlocked(const Napi::CallbackInfo& info) {
  if (Progress* progress = Find(info)) progress->SetBlocked(info[1].As<Napi::Boolean>());
}

void ProgressSetReferenced(const Napi::CallbackInfo& info) {
  if (Progress* progress = Find(info)) progress->SetReferenced(info[1].As<Napi::Boolean>());
}

}  // namespace

void ExportProgress(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "progressOpen", ProgressOpen);
  Export(env, exports, environment, "progressSpin", ProgressSpin);
  Export(env, exports, environment, "progressArm", ProgressArm);
  Export(env, exports, environment, "progressPoll", ProgressPoll);
  Export(env, exports, environment, "progressSetBlocked", ProgressSetBlocked);
  Export(env, exports, environment, "progressSetReferenced", ProgressSetReferenced);
}

}  // namespace node_libfabric
