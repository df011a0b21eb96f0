// libfabric's log, which its threads write whenever they like, for one JavaScript environment.
#pragma once

#include <node_api.h>
#include <uv.h>

#include <cstddef>
#include <deque>
#include <string>

namespace node_libfabric {

struct Environment;

struct LogEntry {
  int level, subsystem, line;
  std::string provider, function, message;
};

// Collects messages from any thread, and wakes the event loop, which takes them.
class LogReader {
 public:
  LogReader(Environment* environment, napi_value callback);

  // Messages are taken from now on; called again it changes the level. 0 or a negative libfabric code.
  int Listen(int level);
  // Called once. The object deletes itself when libuv has let go of its handle.
  void Close();

  // From any thread, with the lock of log.cc held.
  void Add(const LogEntry& entry);
  std::deque<LogEntry> Take(size_t* dropped);

  int level() const { return level_; }

 private:
  ~LogReader() = default;
  void Report();

  Environment* environment_;
  napi_env env_;
  napi_ref callback_ = nullptr;
  napi_async_context context_ = nullptr;
  uv_async_t async_;
  bool listening_ = false;
  int level_ = -1;
  std::deque<LogEntry> entries_;
  size_t dropped_ = 0;
};

}  // namespace node_libfabric
