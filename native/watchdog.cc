// Ends a process whose JavaScript no longer runs: shm takes locks in a peer's memory, and a peer that is stopped or
// killed while it holds ours has fi_cq_read spin for ever. No timer of JavaScript gets there; a thread does.
#include "watchdog.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "environment.h"

namespace node_libfabric {
namespace {

// Counted in wake-ups, not in time: a process that was stopped as a whole has not been silent.
constexpr std::chrono::milliseconds kWakeUp(100);

std::atomic<int64_t> allowed{0};
std::atomic<int64_t> silent{0};
std::atomic<bool> is_running{false};

void Watch(const std::string& message, int exit_code) {
  for (;;) {
    std::this_thread::sleep_for(kWakeUp);
    const int64_t limit = allowed.load();
    if (limit == 0 || ++silent <= limit) continue;
    [[maybe_unused]] ssize_t written = write(STDERR_FILENO, message.data(), message.size());
    _exit(exit_code);
  }
}

// watchdogFeed(milliseconds, message, exitCode): undefined. 0 milliseconds for rest. The first call decides on the
// message.
Napi::Value WatchdogFeed(const Napi::CallbackInfo& info) {
  const int64_t milliseconds = info[0].As<Napi::Number>().Int64Value();
  silent = 0;
  allowed = milliseconds / kWakeUp.count();
  if (milliseconds > 0 && !is_running.exchange(true)) {
    std::thread(Watch, info[1].As<Napi::String>().Utf8Value(), info[2].As<Napi::Number>().Int32Value()).detach();
  }
  return info.Env().Undefined();
}

}  // namespace

void ExportWatchdog(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "watchdogFeed", WatchdogFeed);
}

}  // namespace node_libfabric
