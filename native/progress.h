// Drives one completion queue from the event loop: spins on it for a while, then waits on its file descriptor.
//
// The mechanism only. When to spin, wait or back off is decided in lib/progress.ts, which is called with completions,
// and without any when the spin budget is spent.
#pragma once

#include <node_api.h>
#include <uv.h>

#include <cstdint>

#include "loop_callback.h"

namespace node_libfabric {

struct CompletionQueue;
struct Environment;

class Progress {
 public:
  // What JavaScript is told instead of a number of completions.
  static constexpr int kSpent = 0;   // nothing happened for the whole spin budget: the queue is no longer watched
  static constexpr int kRetry = -1;  // posts are blocked: time to try them again
  // A number of completions that the timer found has its interval, in milliseconds, from this bit on.
  static constexpr int kIntervalShift = 16;
  // Any lower number is the negative code of a queue that has failed; it is no longer watched either.

  // `ring` is where completions of the promise door are written before `callback(count)` is called.
  Progress(Environment* environment, CompletionQueue* queue, uint8_t* ring, int capacity, napi_value callback);

  void Spin(int64_t budget_nanoseconds);
  // Waits on the descriptor, and spins so long when it wakes up. -FI_EAGAIN when completions may be there already (poll
  // again), -FI_ENOSYS without one.
  int Arm(int64_t budget_nanoseconds);
  // Asks the provider every so often, less and less so, down to every `limit`. JavaScript only hears of what was found:
  // an idle queue costs next to nothing.
  void Poll(int64_t interval_milliseconds, int64_t limit_milliseconds);
  void Stop();
  // Whether JavaScript has posts that the provider refused for now.
  void SetBlocked(bool blocked) { blocked_ = blocked; }
  // Whether the event loop has to stay alive for this queue.
  void SetReferenced(bool referenced);
  // Called once, when the queue goes. The object deletes itself when libuv has let go of its handles.
  void Close();

 private:
  ~Progress() = default;

  void Tick();
  void OnTimer();
  void StartTimer();
  void Report(int count);
  static void OnClosed(uv_handle_t* handle);

  Environment* environment_;
  CompletionQueue* queue_;
  uint8_t* ring_;
  int capacity_;
  LoopCallback callback_;
  uv_idle_t idle_;
  uv_poll_t poll_;
  uv_timer_t timer_;
  uv_async_t alive_;  // does nothing but keep the loop alive while it is referenced
  bool has_poll_ = false;
  bool spinning_ = false;
  bool blocked_ = false;
  bool closed_ = false;
  int open_handles_ = 0;
  int64_t interval_ = 0;  // of the timer, in milliseconds
  int64_t longest_interval_ = 0;
  int quiet_polls_ = 0;  // with this interval
  int64_t budget_ = 0;
  int64_t last_event_ = 0;
};

}  // namespace node_libfabric
