#include "shared_memory.h"

#include <fcntl.h>
#include <rdma/fi_errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <mutex>
#include <unordered_set>
#include <vector>

namespace node_libfabric {
namespace shared_memory {
namespace {

// Of the process, as the provider's own list is: workers' endpoints are neighbours too. Never destroyed, since threads
// may outlive static objects.
struct State {
  std::mutex lock;
  std::unordered_set<std::string> open;  // enabled and not closed by their owner
  std::unordered_set<std::string> gone;  // closed: the provider keeps a dangling pointer for the name
  size_t vectors = 0;                    // address vectors that are open
  bool has_neighbours = false;           // one of them may have an address of this process
  std::vector<struct fid*> waiting;      // to be closed, children before parents
  std::vector<std::string> waiting_names;
  std::vector<std::shared_ptr<void>> buffers;  // of the operations of those that wait
};

State& Get() {
  static State* state = new State;
  return *state;
}

// An endpoint's region, by its name without the prefix.
void RemoveRegion(const std::string& key) {
  shm_unlink(("/" + key).c_str());
}

// exit(3), which process.exit() calls, runs none of the environment's clean-up: the regions, 16 MiB each, would stay
// until the machine is started anew.
void RemoveOpenAtExit() {
  static const pid_t owner = getpid();  // a child of fork(2) that exits has none of its own
  std::atexit([] {
    State& state = Get();
    std::unique_lock<std::mutex> guard(state.lock, std::try_to_lock);
    if (!guard.owns_lock() || getpid() != owner) return;
    for (const std::string& key : state.open) RemoveRegion(key);
    for (const std::string& key : state.waiting_names) RemoveRegion(key);
  });
}

// As the provider does: the prefix says nothing.
std::string WithoutPrefix(const std::string& name) {
  size_t at = name.find("://");
  return at == std::string::npos ? name : name.substr(at + 3);
}

void CloseWaiting(State& state) {
  for (struct fid* fid : state.waiting) fi_close(fid);
  state.waiting.clear();
  state.gone.insert(state.waiting_names.begin(), state.waiting_names.end());
  state.waiting_names.clear();
  state.buffers.clear();
  state.has_neighbours = false;
}

}  // namespace

void EndpointOpened(const std::string& name) {
  State& state = Get();
  static std::once_flag registered;
  std::call_once(registered, RemoveOpenAtExit);
  std::lock_guard<std::mutex> guard(state.lock);
  state.open.insert(WithoutPrefix(name));
}

bool RemoveStale(const std::string& name) {
  State& state = Get();
  std::lock_guard<std::mutex> guard(state.lock);
  const std::string key = WithoutPrefix(name);
  std::string own = std::to_string(getpid()) + ":";
  if (key.rfind(own, 0) != 0 || state.open.count(key) > 0) return false;
  RemoveRegion(key);  // libfabric 1.17 has done so already
  return true;
}

int CloseEndpoint(struct fid* fid, const std::string& name,
                  const std::function<std::vector<std::shared_ptr<void>>()>& put_off) {
  State& state = Get();
  std::lock_guard<std::mutex> guard(state.lock);
  const std::string key = WithoutPrefix(name);
  state.open.erase(key);
  if (state.has_neighbours) {
    state.waiting.push_back(fid);
    state.waiting_names.push_back(key);
    std::vector<std::shared_ptr<void>> buffers = put_off();
    state.buffers.insert(state.buffers.end(), buffers.begin(), buffers.end());
    return 0;
  }
  int result = fi_close(fid);
  state.gone.insert(key);
  return result;
}

void VectorOpened() {
  State& state = Get();
  std::lock_guard<std::mutex> guard(state.lock);
  state.vectors++;
}

int CloseVector(struct fid* fid) {
  State& state = Get();
  std::lock_guard<std::mutex> guard(state.lock);
  int result = 0;
  if (state.waiting.empty()) {
    result = fi_close(fid);
  } else {
    state.waiting.push_back(fid);
  }
  if (--state.vectors == 0) CloseWaiting(state);
  return result;
}

int Close(struct fid* fid) {
  State& state = Get();
  std::lock_guard<std::mutex> guard(state.lock);
  if (state.waiting.empty()) return fi_close(fid);
  state.waiting.push_back(fid);
  return 0;
}

size_t CountWaiting() {
  State& state = Get();
  std::lock_guard<std::mutex> guard(state.lock);
  return state.waiting.size();
}

int CheckPeer(const std::string& name) {
  constexpr size_t kLongestName = 255;
  if (name.size() > kLongestName) return -FI_EINVAL;
  const std::string key = WithoutPrefix(name);
  State& state = Get();
  {
    std::lock_guard<std::mutex> guard(state.lock);
    if (state.gone.count(key) > 0) return -FI_ECONNREFUSED;
    if (state.open.count(key) > 0) {
      state.has_neighbours = true;
      return 0;
    }
  }
  int file = shm_open(key.c_str(), O_RDWR | O_CLOEXEC, 0);
  if (file >= 0) {
    close(file);
    return 0;
  }
  if (errno != ENOENT) return -errno;
  // Who does not exist yet may do so when something is sent, in this process too.
  std::lock_guard<std::mutex> guard(state.lock);
  state.has_neighbours = true;
  return 0;
}

}  // namespace shared_memory
}  // namespace node_libfabric
