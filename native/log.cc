#include "log.h"

#include <dlfcn.h>
#include <rdma/fi_ext.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "environment.h"
#include "libfabric.h"

namespace node_libfabric {
namespace {

// What JavaScript has not taken beyond this is counted and dropped: libfabric can log faster than anybody reads.
constexpr size_t kCapacity = 10'000;

// Of the process, as libfabric's log is. Never destroyed, since threads may outlive static objects.
//
// Two locks: libfabric calls back with a lock of its own held, which importing takes too. So `readers_lock` is never
// held while libfabric is called, and `import_lock` is never taken in a callback.
struct State {
  std::mutex readers_lock;
  std::vector<LogReader*> readers;
  std::atomic<int> level{-1};  // the highest that a reader wants

  std::mutex import_lock;
  int users = 0;
  struct fi_ops_log operations = {};
  struct fid_logging logging = {};
};

State& Get() {
  static State* state = new State;
  return *state;
}

int IsEnabled(const struct fi_provider*, enum fi_log_level level, enum fi_log_subsys, uint64_t flags) {
  return !(flags & FI_LOG_PROV_FILTERED) && static_cast<int>(level) <= Get().level.load(std::memory_order_relaxed);
}

void OnLog(const struct fi_provider* provider, enum fi_log_level level, enum fi_log_subsys subsystem,
           const char* function, int line, const char* message) {
  LogEntry entry{level,  subsystem, line, provider && provider->name ? provider->name : "", function ? function : "",
                 message};
  State& state = Get();
  std::lock_guard<std::mutex> guard(state.readers_lock);
  for (LogReader* reader : state.readers) {
    if (entry.level <= reader->level()) reader->Add(entry);
  }
}

// Node unloads an addon with the last worker that used it, and libfabric's threads may be in OnLog then.
void KeepLoaded() {
  Dl_info where;
  if (dladdr(reinterpret_cast<void*>(&OnLog), &where)) dlopen(where.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}

// int fi_import_log(uint32_t version, uint64_t flags, struct fid_logging *log_fid)
// int fi_open(uint32_t version, const char *name, void *attr, size_t attr_len, uint64_t flags, struct fid **fid,
//             void *context)
int Import(State& state) {
  std::lock_guard<std::mutex> guard(state.import_lock);
  if (state.users > 0) {
    state.users++;
    return 0;
  }
  KeepLoaded();
  state.operations = {};
  state.operations.enabled = IsEnabled;
  state.operations.log = OnLog;
  state.logging = {};
  state.logging.ops = &state.operations;
  int result = fi_import_log(LoadLibfabric(nullptr)->ApiVersion(), 0, &state.logging);
  if (!result) state.users = 1;
  return result;
}

// int fi_close(struct fid *fid)
// libfabric logs as before: to stderr, when FI_LOG_LEVEL says so.
void Release(State& state) {
  std::lock_guard<std::mutex> guard(state.import_lock);
  if (--state.users == 0) fi_close(&state.logging.fid);
}

// With readers_lock held.
void UpdateLevel(State& state) {
  int level = -1;
  for (LogReader* reader : state.readers) level = std::max(level, reader->level());
  state.level = level;
}

}  // namespace

LogReader::LogReader(Environment* environment, napi_value callback)
    : environment_(environment), env_(environment->env) {
  napi_create_reference(env_, callback, 1, &callback_);
  napi_value name;
  napi_create_string_utf8(env_, "FabricLog", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env_, nullptr, name, &context_);
  uv_loop_t* loop;
  napi_get_uv_event_loop(env_, &loop);
  uv_async_init(loop, &async_, [](uv_async_t* handle) { static_cast<LogReader*>(handle->data)->Report(); });
  async_.data = this;
  uv_unref(reinterpret_cast<uv_handle_t*>(&async_));
  environment_->progress_objects++;
}

int LogReader::Listen(int level) {
  State& state = Get();
  if (!listening_) {
    int result = Import(state);
    if (result) return result;
  }
  std::lock_guard<std::mutex> guard(state.readers_lock);
  if (!listening_) state.readers.push_back(this);
  listening_ = true;
  level_ = level;
  UpdateLevel(state);
  return 0;
}

void LogReader::Close() {
  State& state = Get();
  if (listening_) {
    {
      std::lock_guard<std::mutex> guard(state.readers_lock);
      state.readers.erase(std::find(state.readers.begin(), state.readers.end(), this));
      UpdateLevel(state);
    }
    Release(state);
  }
  napi_delete_reference(env_, callback_);
  napi_async_destroy(env_, context_);
  callback_ = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&async_), [](uv_handle_t* handle) {
    auto* reader = static_cast<LogReader*>(handle->data);
    Environment* environment = reader->environment_;
    delete reader;
    environment->ProgressClosed();
  });
}

void LogReader::Add(const LogEntry& entry) {
  if (entries_.size() >= kCapacity) {
    dropped_++;
    return;
  }
  entries_.push_back(entry);
  uv_async_send(&async_);
}

std::deque<LogEntry> LogReader::Take(size_t* dropped) {
  std::lock_guard<std::mutex> guard(Get().readers_lock);
  *dropped = std::exchange(dropped_, 0);
  return std::exchange(entries_, {});
}

void LogReader::Report() {
  napi_handle_scope scope;
  if (!callback_ || napi_open_handle_scope(env_, &scope) != napi_ok) return;
  napi_env env = env_;
  napi_value callback, receiver;
  napi_get_reference_value(env, callback_, &callback);
  napi_get_global(env, &receiver);
  if (napi_make_callback(env, context_, receiver, callback, 0, nullptr, nullptr) == napi_pending_exception) {
    napi_value error;
    napi_get_and_clear_last_exception(env, &error);
    napi_fatal_exception(env, error);
  }
  napi_close_handle_scope(env, scope);
}

namespace {

// logOpen(level: number, callback: () => void): number
// One reader per environment; opened again it changes the level. `callback` is told that there is something to take.
Napi::Value LogOpen(const Napi::CallbackInfo& info) {
  Environment& environment = EnvironmentOf(info);
  bool is_new = !environment.log;
  if (is_new) environment.log = new LogReader(&environment, info[1]);
  int result = environment.log->Listen(info[0].As<Napi::Number>().Int32Value());
  if (result && is_new) std::exchange(environment.log, nullptr)->Close();
  return Napi::Number::New(info.Env(), result);
}

// logTake(): [dropped, level, subsystem, provider, function, line, message, …]
Napi::Value LogTake(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto flat = Napi::Array::New(env);
  LogReader* reader = EnvironmentOf(info).log;
  size_t dropped = 0;
  std::deque<LogEntry> entries;
  if (reader) entries = reader->Take(&dropped);
  uint32_t next = 0;
  flat.Set(next++, Napi::Number::New(env, static_cast<double>(dropped)));
  for (const LogEntry& entry : entries) {
    flat.Set(next++, Napi::Number::New(env, entry.level));
    flat.Set(next++, Napi::Number::New(env, entry.subsystem));
    flat.Set(next++, Napi::String::New(env, entry.provider));
    flat.Set(next++, Napi::String::New(env, entry.function));
    flat.Set(next++, Napi::Number::New(env, entry.line));
    flat.Set(next++, Napi::String::New(env, entry.message));
  }
  return flat;
}

void LogClose(const Napi::CallbackInfo& info) {
  LogReader* reader = std::exchange(EnvironmentOf(info).log, nullptr);
  if (reader) reader->Close();
}

}  // namespace

void ExportLog(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "logOpen", LogOpen);
  Export(env, exports, environment, "logTake", LogTake);
  Export(env, exports, environment, "logClose", LogClose);
}

}  // namespace node_libfabric
